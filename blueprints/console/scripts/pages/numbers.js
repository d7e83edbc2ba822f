// The phone numbers that we operate: how they are, how fast they may send, what holds them, and the pause button.
import { html, useEvery, useState } from '../ui.js';
import { get, post } from '../api.js';
import { Icon } from '../icons.js';
import { Badge, Button, Failure, Page, Spinner, copy, failed, toast } from '../widgets.js';
import { heldWords } from '../failures.js';
import { clock, moment, number as figure, t, word } from '../words.js';

const LOOK_MS = 3_000;
const ROOT = '/v1/numbers';
const QUALITY = { GREEN: 'ok', YELLOW: 'warn', RED: 'bad' };
const STATUS = { CONNECTED: 'ok', PENDING: 'warn', FLAGGED: 'warn', RESTRICTED: 'bad', DISCONNECTED: 'bad', BANNED: 'bad' };

const tier = (limit) => {
  const found = /^TIER_(\d+)(K?)$/.exec(limit ?? '');
  if (!found) return limit === 'TIER_UNLIMITED' || limit === 'UNLIMITED' ? t('number.tier.unlimited') : limit?.replaceAll('_', ' ');
  return t('number.tier.people', { count: figure(Number(found[1]) * (found[2] ? 1000 : 1)) });
};

const Fact = ({ name, hint, children }) => html`<div><dt title=${hint}>${name}</dt><dd>${children}</dd></div>`;
const Code = ({ text }) => html`<button type="button" class="copyable" title=${t('copy')} onClick=${() => copy(text)}><code>${text}</code><${Icon} name="copy" size=${14} /></button>`;

function Limits({ limits, queued }) {
  if (!limits) return html`<div class="number-limits"><${Spinner} /></div>`;
  const { pace, whatsapp } = limits;
  return html`<div class="number-limits">
    <section><h3>${t('number.pace')}</h3><dl>
      <${Fact} name=${t('number.rate')}>${t('number.rate.value', { rate: figure(pace.messages_per_s, 1) })}<//>
      <${Fact} name=${t('number.pair')} hint=${t('number.pair.hint')}>${t('number.pair.value', { seconds: figure(pace.pair_period_s, 1), burst: figure(pace.pair_burst) })}<//>
      <${Fact} name=${t('number.daily')}>${pace.daily_recipients ? t('number.tier.people', { count: figure(pace.daily_recipients) }) : t('number.none')}<//>
      <${Fact} name=${t('number.quiet')}>${pace.quiet_hours ?? t('number.none')}<//>
      ${queued !== null && html`<${Fact} name=${t('process.queue')}>${figure(queued)}<//>`}</dl></section>
    <section><h3>${t('number.whatsapp')}</h3>${whatsapp.error ? html`<p class="notice warn"><${Icon} name="alert" size=${16} /><span>${t('number.whatsapp.silent')} ${whatsapp.error.detail}</span></p>` : html`<dl>
      <${Fact} name=${t('state')}><${Badge} kind=${STATUS[whatsapp.status] ?? 'plain'}>${word('number.status', whatsapp.status ?? 'unknown')}<//><//>
      <${Fact} name=${t('number.quality')} hint=${t('number.quality.hint')}><${Badge} kind=${QUALITY[whatsapp.quality_rating] ?? 'plain'}>${word('number.quality', whatsapp.quality_rating ?? 'UNKNOWN')}<//><//>
      <${Fact} name=${t('number.throughput')}>${word('number.throughput', whatsapp.throughput_level ?? 'unknown')}<//>
      <${Fact} name=${t('number.tier')} hint=${t('number.tier.hint')}>${tier(whatsapp.messaging_limit) ?? t('number.unsaid')}<//>
      <${Fact} name=${t('number.name')}>${whatsapp.verified_name ?? t('number.unsaid')}<//></dl>`}
      <p class="hint">${t('number.asked', { time: clock(whatsapp.asked_at) })}</p></section></div>`;
}

function One({ number, limits, owner, onChanged }) {
  const link = owner?.links?.[number.phone_number_id];
  const isHeld = !number.is_paused && number.hold_reason;
  const change = () => post(`${ROOT}/${number.phone_number_id}/${number.is_paused ? 'resume' : 'pause'}`)
    .then(() => { toast(t(number.is_paused ? 'number.resumed' : 'number.paused')); onChanged(); }, failed);
  const kind = `${t(`link.kind.${number.link}`)}${number.is_default ? ` · ${t('number.default')}` : ''}`;
  return html`<article class="card number"><header><span class="cell"><${Icon} name="phone" /></span><div><h2>+${number.display_phone_number}</h2><p>${limits?.whatsapp.verified_name ? `${limits.whatsapp.verified_name} · ` : ''}${kind}</p></div>
      <${Badge} kind=${number.is_paused || isHeld ? 'warn' : 'ok'}>${number.is_paused ? t('number.is_paused') : isHeld ? t('number.is_held') : word('link', link ?? 'connected')}<//>
      <${Button} icon=${number.is_paused ? 'play' : 'pause'} kind=${number.is_paused ? 'primary' : 'plain'} onClick=${change}>${t(number.is_paused ? 'number.resume' : 'number.pause')}<//></header>
    ${isHeld && html`<p class="notice warn"><${Icon} name="pause" size=${16} /><span><strong>${heldWords(number.hold_reason)}.</strong> ${number.hold_until ? t('number.hold.until', { time: moment(number.hold_until) }) : t('number.hold.open')}</span></p>`}
    ${number.is_paused && html`<p class="notice warn"><${Icon} name="pause" size=${16} /><span>${t('number.paused.text')}</span></p>`}
    <${Limits} limits=${limits} queued=${owner ? owner.queue_depth ?? 0 : null} />
    <dl class="number-ids"><dt>phone_number_id</dt><dd><${Code} text=${number.phone_number_id} /></dd><dt>waba_id</dt><dd><${Code} text=${number.waba_id} /></dd></dl></article>`;
}

export function NumbersPage() {
  const [state, setState] = useState({ limits: {} });
  const load = async () => {
    try {
      const [found, cluster] = await Promise.all([get(ROOT), get('/v1/cluster').catch(() => null)]);
      const limits = await Promise.all(found.data.map((one) => get(`${ROOT}/${one.phone_number_id}/limits`).catch(() => null)));
      const byId = Object.fromEntries(found.data.map((one, position) => [one.phone_number_id, limits[position]]));
      setState({ numbers: found.data, limits: byId, owner: cluster?.processes.find((one) => one.role === 'whatsapp')?.whatsapp ?? null });
    } catch (error) {
      setState((before) => ({ ...before, error }));
    }
  };
  useEvery(load, LOOK_MS);
  const { numbers, limits, owner, error } = state;
  return html`<${Page} title=${t('nav.numbers')} lead=${t('numbers.lead')}>
    ${error && html`<${Failure} error=${error} onRetry=${load} />`}${!numbers && !error && html`<${Spinner} />`}
    ${(numbers ?? []).map((number) => html`<${One} key=${number.phone_number_id} number=${number} limits=${limits[number.phone_number_id]} owner=${owner} onChanged=${load} />`)}<//>`;
}
