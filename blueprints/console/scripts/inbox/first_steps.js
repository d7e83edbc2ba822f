// With an empty database: what this is, in three steps of one click each.
import { html, useState } from '../ui.js';
import { Icon, Mark } from '../icons.js';
import { Button, copy, failed } from '../widgets.js';
import { post } from '../api.js';
import { isSandbox } from '../session.js';
import { go } from '../router.js';
import { phone } from '../phone_state.js';
import { loadList } from './state.js';
import { t } from '../words.js';

const CUSTOMER = '16505551234';
const SAMPLE_NAME = 'Ana Pérez';

async function playCustomer() {
  await fetch(`/console/sandbox/phones/${CUSTOMER}`, { method: 'PUT', headers: { 'x-panal-console': '1', 'content-type': 'application/json' }, body: JSON.stringify({ name: SAMPLE_NAME }) });
  await post(`/console/sandbox/phones/${CUSTOMER}/messages`, { type: 'text', text: { body: t('first.hello') } });
  phone.set({ isOpen: true, chosen: CUSTOMER });
  setTimeout(() => loadList(), 700);
}

export function FirstSteps({ onNew }) {
  const [isBusy, setBusy] = useState(false);
  const curl = `curl ${location.origin}/v1/messages -H "Authorization: Bearer $KEY" -d '{"to":"${CUSTOMER}","type":"template","template":{"name":"hello_world","language":{"code":"en_US"}}}'`;
  const run = (work) => async () => {
    setBusy(true);
    await work().catch(failed);
    setBusy(false);
  };
  const steps = isSandbox() ? [
    ['phone', 'first.1', t('first.1.do'), run(playCustomer)],
    ['send', 'first.2', t('first.2.do'), onNew],
    ['bolt', 'first.3', t('first.3.do'), () => copy(curl)],
  ] : [
    ['numbers', 'first.cloud.1', t('first.cloud.1.do'), () => go('numbers')],
    ['send', 'first.2', t('first.2.do'), onNew],
    ['bolt', 'first.3', t('first.3.do'), () => copy(curl)],
  ];
  return html`<div class="first"><${Mark} size=${44} /><h2>${t('first.title')}</h2><p>${t('first.lead')}</p>
    <ol>${steps.map(([icon, key, words, act]) => html`<li key=${key}><span class="cell"><${Icon} name=${icon} size=${20} /></span><div><h3>${t(`${key}.title`)}</h3><p>${t(`${key}.text`)}</p><${Button} small kind=${icon === 'phone' ? 'primary' : 'plain'} isBusy=${isBusy && icon === 'phone'} onClick=${act}>${words}<//></div></li>`)}</ol></div>`;
}
