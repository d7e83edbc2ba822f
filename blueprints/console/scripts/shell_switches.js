// Language and light.
import { html, useStore } from './ui.js';
import { Icon } from './icons.js';
import { LOCALES, setLocale, t, useLocale } from './words.js';
import { THEMES, setTheme, theme } from './theme.js';

const THEME_ICONS = { auto: 'auto', light: 'sun', dark: 'moon' };
const LOCALE_NAMES = { es: 'Español', en: 'English' };

export function LocaleSwitch() {
  const now = useLocale();
  return html`<div class="segments" role="group" aria-label=${t('switch.language')}>
    ${LOCALES.map((code) => html`<button type="button" lang=${code} aria-pressed=${code === now ? 'true' : 'false'} onClick=${() => setLocale(code)}>${LOCALE_NAMES[code]}</button>`)}</div>`;
}

export function ThemeSwitch() {
  const now = useStore(theme, (state) => state.now);
  return html`<div class="segments" role="group" aria-label=${t('switch.theme')}>
    ${THEMES.map((name) => html`<button type="button" aria-label=${t(`switch.theme.${name}`)} title=${t(`switch.theme.${name}`)} aria-pressed=${name === now ? 'true' : 'false'} onClick=${() => setTheme(name)}>
      <${Icon} name=${THEME_ICONS[name]} size=${16} /></button>`)}</div>`;
}
