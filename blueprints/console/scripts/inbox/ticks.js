// One glance at how far a message came: clock, one tick, two ticks, two coloured ticks, or an alert.
import { html } from '../ui.js';
import { Icon } from '../icons.js';
import { t } from '../words.js';

const ONE = 'M2.500 9.500 6 13 13.500 5';
const TWO = 'M7.500 12 8.500 13 16 5';

export function Ticks({ status, size = 17, isQuiet }) {
  const words = t(`status.${status}`);
  const naming = isQuiet ? { 'aria-hidden': 'true' } : { role: 'img', 'aria-label': words };
  if (['pending', 'queued', 'scheduled', 'sending', 'held'].includes(status)) {
    return html`<span class=${`ticks ${status}`} title=${words} data-status=${status} ...${naming}><${Icon} name=${status === 'held' ? 'pause' : 'clock'} size=${size - 3} /></span>`;
  }
  if (['sent', 'delivered', 'read'].includes(status)) {
    return html`<span class=${`ticks ${status}`} title=${words} data-status=${status} ...${naming}><svg width=${size} height=${size} viewBox="0 0 18 18" fill="none" stroke="currentColor" stroke-width="1.800" stroke-linecap="round" stroke-linejoin="round" focusable="false">
      <path d=${ONE} />${status !== 'sent' && html`<path d=${TWO} />`}</svg></span>`;
  }
  return html`<span class=${`ticks bad ${status}`} title=${words} data-status=${status} ...${naming}><${Icon} name="alert" size=${size - 2} /></span>`;
}
