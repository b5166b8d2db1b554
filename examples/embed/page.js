// Whoever signs in gets a new element: nothing of the one before is left. The
// element asks /token by itself, with this page's cookie, whenever it needs one.
async function signIn(name) {
  document.querySelector("#problem").textContent = "";
  const response = await fetch("/signin", { method: "POST", body: new URLSearchParams({ name }) });
  if (!response.ok) {
    document.querySelector("#problem").textContent = await response.text();
    return;
  }
  const dashboard = document.createElement("usher-dashboard");
  dashboard.setAttribute("name", "portal");
  dashboard.setAttribute("token-url", "/token");
  document.querySelector("main").replaceChildren(dashboard);
}

for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", () => signIn(button.dataset.name));
}
