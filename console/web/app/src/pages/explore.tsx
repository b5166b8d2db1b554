// Explore and Saved, in one chunk: who opens one opens the other.
export { Explore } from './explore/explorer';
export { Saved } from './explore/saved';
