// @usher/client owns asking usher from a page: the token, and when it is replaced; numbers with all their digits; dashboards.
// It refuses to keep a token anywhere but in the object that uses it.
export { type Answer, type Asker, Client, type Document, type Options } from './client.ts';
export type { Chart, Column, Dashboard, Format, Kind, Parameter, Result, Run, Tile } from './dashboard.ts';
export { type Failure, UsherError } from './error.ts';
export { type Feed, type Live, poll, type Sink } from './feed.ts';
export { Exact, isNumeric, type Numeric, parse } from './numbers.ts';
export { type Issued, type TokenSource, tokensFrom } from './tokens.ts';
