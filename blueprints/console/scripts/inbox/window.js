// How long free text may still be sent: 24 hours from the customer's last message.
import { cx, html, useEffect, useReducer } from '../ui.js';
import { Icon } from '../icons.js';
import { duration, moment, t } from '../words.js';

export const leftS = (conversation) => (conversation.window_closes_at ? (new Date(conversation.window_closes_at) - Date.now()) / 1000 : 0);

/** Draw again while time passes. */
export function useNow(everyMs = 20_000) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(redraw, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
}

export function WindowBadge({ conversation }) {
  useNow();
  const left = leftS(conversation);
  const isOpen = left > 0;
  const title = isOpen ? t('window.open.title', { time: moment(conversation.window_closes_at) }) : t('window.closed.title');
  return html`<span class=${cx('window', isOpen ? (left < 7200 ? 'soon' : 'open') : 'closed')} title=${title}><${Icon} name="clock" size=${15} />
    <span class="visually-hidden">${title}</span><span aria-hidden="true" class="full">${isOpen ? duration(left) : t('window.closed')}</span><span aria-hidden="true" class="short">${isOpen ? duration(left).split(' ').slice(0, 2).join(' ') : ''}</span></span>`;
}
