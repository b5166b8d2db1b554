// embed.js: the elements for a page that has one script tag. They ask the server that the script came from.
import { UsherElement } from './element.ts';

UsherElement.server = new URL('.', import.meta.url).href;

export * from './index.ts';
