// The frame around every page: where to go, what is wrong, who is signed in.
import { cx, html, useEffect, useStore } from './ui.js';
import { Link, usePlace } from './router.js';
import { may, session, signOut } from './session.js';
import { live } from './live.js';
import { Icon, Mark } from './icons.js';
import { Button, Popover, failed } from './widgets.js';
import { LocaleSwitch, ThemeSwitch } from './shell_switches.js';
import { Banner } from './banner.js';
import { Inbox } from './inbox/inbox.js';
import { ClusterPage } from './pages/cluster.js';
import { NumbersPage } from './pages/numbers.js';
import { EndpointsPage } from './pages/endpoints.js';
import { TemplatesPage } from './pages/templates.js';
import { CampaignsPage } from './pages/campaigns.js';
import { ContactsPage } from './pages/contacts.js';
import { KeysPage } from './pages/keys.js';
import { EventsPage } from './pages/events.js';
import { unreadTotal } from './inbox/state.js';
import { t } from './words.js';

export const PARTS = [
  { id: 'inbox', icon: 'inbox', scope: 'conversations', page: Inbox, isMain: true },
  { id: 'contacts', icon: 'contacts', scope: 'contacts', page: ContactsPage, isMain: true },
  { id: 'campaigns', icon: 'campaigns', scope: 'campaigns', page: CampaignsPage, isMain: true },
  { id: 'cluster', icon: 'cluster', scope: 'cluster:read', page: ClusterPage, isMain: true },
  { id: 'templates', icon: 'templates', scope: 'templates', page: TemplatesPage },
  { id: 'numbers', icon: 'numbers', scope: 'numbers', page: NumbersPage },
  { id: 'webhooks', icon: 'webhooks', scope: 'webhook_endpoints', page: EndpointsPage },
  { id: 'events', icon: 'events', scope: 'events:read', page: EventsPage },
  { id: 'keys', icon: 'keys', scope: 'admin', page: KeysPage },
];

const OutButtons = () => [false, true].map((everywhere) => html`<button key=${everywhere} type="button" class="menu-item" onClick=${() => signOut({ everywhere }).catch(failed)}><${Icon} name="out" size=${18} />${t(everywhere ? 'account.out_everywhere' : 'account.out')}</button>`);

function Account({ align = 'start' }) {
  const name = useStore(session, (state) => state.name);
  return html`<${Popover} align=${align} up class="account" button=${(popover) => html`<button type="button" class="account-button" aria-label=${t('account', { name })} aria-expanded=${popover['aria-expanded']} onClick=${popover.toggle}>
      <${Icon} name="user" /></button>`}>
    <div class="menu"><p class="menu-title">${name}</p><${LocaleSwitch} /><${ThemeSwitch} />
      <a class="menu-item" href="/docs" target="_blank" rel="noopener"><${Icon} name="file" size=${18} />${t('nav.docs')}</a>
      <${OutButtons} /></div><//>`;
}

function Item({ part, isHere, unread }) {
  return html`<${Link} to=${part.id} class=${cx('nav-item', { here: isHere })} aria-current=${isHere ? 'page' : undefined}>
    <span class="nav-icon"><${Icon} name=${part.icon} size=${22} />${part.id === 'inbox' && unread > 0 && html`<b class="dot"><span class="visually-hidden">${t('nav.unread', { count: unread })}</span></b>`}</span>
    <span>${t(`nav.${part.id}`)}</span><//>`;
}

export function Shell() {
  const { part: here, id } = usePlace();
  const unread = useStore(unreadTotal, (state) => state.count);
  const state = useStore(live, (value) => value.state);
  const parts = PARTS.filter((part) => may(part.scope));
  const isKnown = PARTS.some((one) => one.id === here);
  const part = parts.find((one) => one.id === here) ?? (isKnown ? parts[0] : undefined);
  useEffect(() => {
    document.title = `${unread ? `(${unread}) ` : ''}${part || !isKnown ? `${t(part ? `nav.${part.id}` : 'nowhere')} · ` : ''}Panal`;
  });
  const rest = parts.filter((one) => !one.isMain);
  return html`<div class=${cx('shell', { 'has-thread': part?.id === 'inbox' && id })}>
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>${t('skip')}</a>
    <nav class="rail" aria-label=${t('nav.label')}>
      <${Link} to="inbox" class="brand" aria-label="Panal"><${Mark} size=${34} /><//>
      <div class="rail-items">${parts.map((one) => html`<${Item} key=${one.id} part=${one} isHere=${one === part} unread=${unread} />`)}</div>
      <div class="rail-foot"><span class=${`live ${state}`} role="status" title=${t(`live.${state}`)}><span class="visually-hidden">${t(`live.${state}`)}</span></span><${Account} /></div>
    </nav>
    <div class="stage"><${Banner} />${part ? html`<${part.page} key=${part.id} id=${id} />` : html`<main class="page" id="main" tabindex="-1"><h1>${t(isKnown ? 'nothing' : 'nowhere')}</h1>
      ${!isKnown && html`<p>${t('nowhere.do')}</p><p><${Link} to=${parts[0]?.id ?? 'inbox'}>${t('nowhere.back')}<//></p>`}</main>`}</div>
    <nav class="bar" aria-label=${t('nav.label')}>
      ${parts.filter((one) => one.isMain).map((one) => html`<${Item} key=${one.id} part=${one} isHere=${one === part} unread=${unread} />`)}
      <${Popover} align="end" up class="bar-more" button=${(popover) => html`<button type="button" class=${cx('nav-item', { here: rest.includes(part) })} aria-expanded=${popover['aria-expanded']} onClick=${popover.toggle}>
          <span class="nav-icon"><${Icon} name="more" size=${22} /></span><span>${t('nav.more')}</span></button>`}>
        ${(close) => html`<div class="menu" onClick=${(event) => event.target.closest('a') && close()}>${rest.map((one) => html`<${Link} key=${one.id} to=${one.id} class="menu-item"><${Icon} name=${one.icon} size=${18} />${t(`nav.${one.id}`)}<//>`)}
          <hr /><${LocaleSwitch} /><${ThemeSwitch} /><${OutButtons} /></div>`}<//>
    </nav></div>`;
}
