// Light, dark, or as the system has it.
import { createStore } from './ui.js';
import { remember, remembered } from './remembering.js';

export const THEMES = ['auto', 'light', 'dark'];
export const theme = createStore({ now: remembered('theme', 'auto') });

export function applyTheme() {
  const now = theme.get().now;
  if (now === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = now;
}

export function setTheme(now) {
  remember('theme', now);
  theme.set({ now });
  applyTheme();
}
