// Where this page stands. The server tells the page how far above it /console is,
// so it works below any path. A proxy may add a slash behind /console alone; then
// the page is told that it stands one step deeper than it does.
const told = new URL('.', document.baseURI);
const deeper = location.pathname.endsWith('/console/') && told.pathname.endsWith('/console/console/');

const consoleURL = deeper ? new URL('../', told) : told;

// consolePath is the path of /console as the browser sees it, without the last slash.
export const consolePath = consoleURL.pathname.replace(/\/$/, '');

// below is the address of something of the console's own, such as demo.json.
export const below = (path: string) => new URL(path, consoleURL).href;

// server is the address of something beside the console, such as graphql.
export const server = (path: string) => new URL(`../${path}`, consoleURL).href;
