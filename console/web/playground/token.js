// The token of this browser tab. It lives in the tab's session storage: not in
// other tabs, not in the address, gone with the tab.
const key = 'usher.token';

export const token = {
  get: () => sessionStorage.getItem(key) ?? '',
  set: (value) => sessionStorage.setItem(key, value),
};
