// Which emulated phone is looked at, and whether it is on the screen at all.
import { createStore, isNarrow } from './ui.js';
import { remembered } from './remembering.js';

export const phone = createStore({ isOpen: remembered('phone', true) && !isNarrow() && innerWidth >= 1180, chosen: remembered('customer', '16505551234') });
