// What is kept of answers is of whoever the tab is: another token is another era.
import { session } from '../../session';

let count = 0;
session.subscribe(() => count++);

export const era = () => count;
