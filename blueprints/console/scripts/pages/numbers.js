// The phone numbers that we operate: how they are, what holds them, and the pause button.
import { html, useEvery, useState } from '../ui.js';
import { get, post } from '../api.js';
import { Icon } from '../icons.js';
import { Badge, Button, Failure, Page, Spinner, copy, failed, toast } from '../widgets.js';
import { moment, t, word } from '../words.js';

export function NumbersPage() {
  const [state, setState] = useState({});
  const load = () => Promise.all([get('/v1/numbers'), get('/v1/cluster').catch(() => null)])
    .then(([found, cluster]) => setState({ numbers: found.data, queen: cluster?.processes.find((one) => one.role === 'whatsapp')?.whatsapp ?? {} }), (error) => setState((before) => ({ ...before, error })));
  useEvery(load, 3_000);
  const { numbers, queen = {}, error } = state;
  const change = (number) => post(`/v1/numbers/${number.phone_number_id}/${number.is_paused ? 'resume' : 'pause'}`)
    .then(() => { toast(t(number.is_paused ? 'number.resumed' : 'number.paused')); load(); }, failed);
  return html`<${Page} title=${t('nav.numbers')} lead=${t('numbers.lead')}>
    ${error && html`<${Failure} error=${error} onRetry=${load} />`}${!numbers && !error && html`<${Spinner} />`}
    <div class="cards">${(numbers ?? []).map((number) => {
    const link = queen.links?.[number.phone_number_id];
    const isHeld = !number.is_paused && number.hold_reason;
    return html`<article class="card number" key=${number.phone_number_id}><header><span class="cell"><${Icon} name="phone" /></span><div><h2>+${number.display_phone_number}</h2><p>${t(`link.kind.${number.link}`)}${number.is_default ? ` · ${t('number.default')}` : ''}</p></div>
        <${Badge} kind=${number.is_paused || isHeld ? 'warn' : 'ok'}>${number.is_paused ? t('number.is_paused') : isHeld ? t('number.is_held') : word('link', link ?? 'connected')}<//></header>
      ${isHeld && html`<p class="notice warn"><${Icon} name="pause" size=${16} /><span>${word('held', number.hold_reason)}${number.hold_until ? ` · ${t('held.until', { time: moment(number.hold_until) })}` : ''}</span></p>`}
      ${number.is_paused && html`<p class="notice warn"><${Icon} name="pause" size=${16} /><span>${t('number.paused.text')}</span></p>`}
      <dl class="facts"><dt>phone_number_id</dt><dd><button type="button" class="copyable" onClick=${() => copy(number.phone_number_id)}><code>${number.phone_number_id}</code><${Icon} name="copy" size=${14} /></button></dd>
        <dt>waba_id</dt><dd><button type="button" class="copyable" onClick=${() => copy(number.waba_id)}><code>${number.waba_id}</code><${Icon} name="copy" size=${14} /></button></dd>
        <dt>${t('number.limits')}</dt><dd>${t('number.limits.text', { rate: number.rate_per_s ?? 80 })}</dd><dt>${t('process.queue')}</dt><dd>${queen.queue_depth ?? 0}</dd></dl>
      <footer><${Button} icon=${number.is_paused ? 'play' : 'pause'} kind=${number.is_paused ? 'primary' : 'plain'} onClick=${() => change(number)}>${t(number.is_paused ? 'number.resume' : 'number.pause')}<//></footer></article>`;
  })}</div><//>`;
}
