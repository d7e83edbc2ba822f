// The inbox: list, thread, and beside them details or the emulated phone.
import { cx, html, useEffect, useState, useStore } from '../ui.js';
import { ConversationList } from './list.js';
import { Thread } from './thread.js';
import { Details } from './details.js';
import { Phone } from '../phone.js';
import { phone } from '../phone_state.js';
import { inbox } from './state.js';
import { isSandbox } from '../session.js';
import { Icon } from '../icons.js';
import { Empty } from '../widgets.js';
import { remember } from '../remembering.js';
import { t } from '../words.js';

export function Inbox({ id }) {
  const [areDetailsOpen, setDetails] = useState(false);
  const isPhoneOpen = useStore(phone, (state) => state.isOpen) && isSandbox();
  const customer = useStore(inbox, (state) => state.byId[id]?.contact.wa_id);
  useEffect(() => { if (customer) phone.set({ chosen: customer }); }, [customer]);
  const togglePhone = () => { phone.set((state) => ({ isOpen: !state.isOpen })); remember('phone', phone.get().isOpen); };
  const openerOf = (name) => requestAnimationFrame(() => document.querySelector(`[data-opens=${name}]`)?.focus());
  const closeDetails = () => { setDetails(false); openerOf('details'); };
  const closePhone = () => { togglePhone(); openerOf('phone'); };
  const onEscape = (close) => (event) => { if (event.key === 'Escape' && !event.defaultPrevented) close(); };
  return html`<main class=${cx('inbox', { 'with-thread': id, 'with-side': areDetailsOpen && id, 'with-phone': isPhoneOpen })} id="main" tabindex="-1">
    <${ConversationList} chosen=${id} />
    ${id ? html`<${Thread} id=${id} areDetailsOpen=${areDetailsOpen} onDetails=${() => setDetails(!areDetailsOpen)} isPhoneOpen=${isPhoneOpen && !areDetailsOpen} onPhone=${isSandbox() && (() => { if (areDetailsOpen) { setDetails(false); phone.set({ isOpen: true }); } else togglePhone(); })} />`
    : html`<section class="thread nothing"><${Empty} icon="inbox" title=${t('inbox.pick')}><p>${t('inbox.pick.text')}</p><p class="keys"><kbd>/</kbd> ${t('inbox.keys.search')} · <kbd>↑</kbd><kbd>↓</kbd> ${t('inbox.keys.move')} · <kbd>Enter</kbd> ${t('inbox.keys.send')} · <kbd>Esc</kbd> ${t('inbox.keys.back')}</p><//></section>`}
    ${areDetailsOpen && id && html`<aside class="side" aria-label=${t('details.title')} onKeyDown=${onEscape(closeDetails)}><${Details} id=${id} onClose=${closeDetails} /></aside>`}
    ${isPhoneOpen && html`<aside class="side phone-side" aria-label=${t('phone.title')} onKeyDown=${onEscape(closePhone)}><${Phone} onClose=${closePhone} /></aside>`}
    ${isSandbox() && !isPhoneOpen && !id && html`<button type="button" class="phone-fab" data-opens="phone" aria-label=${t('phone.open')} title=${t('phone.open')} onClick=${togglePhone}><${Icon} name="phone" size=${22} /><span>${t('phone.short')}</span></button>`}
  </main>`;
}
