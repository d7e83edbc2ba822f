// API keys: made here, shown once, ended here.
import { cx, html, useLoad, useState } from '../ui.js';
import { del, get, post } from '../api.js';
import { Icon } from '../icons.js';
import { Badge, Button, Cell, Dialog, Failure, Field, Page, Spinner, Table, copy, failed, toast } from '../widgets.js';
import { session } from '../session.js';
import { ago, day, t } from '../words.js';

const SCOPES = ['messages:send', 'messages:read', 'conversations', 'contacts', 'templates', 'media', 'campaigns', 'events:read', 'webhook_endpoints', 'numbers', 'cluster:read', 'console', 'admin'];
const AGENT = ['console', 'conversations', 'messages:send', 'messages:read', 'contacts', 'templates', 'media', 'events:read', 'numbers'];
const SETS = { agent: AGENT, client: ['messages:send', 'messages:read', 'media', 'templates', 'events:read'], all: SCOPES };

function NewKey({ onClose, onMade }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState(AGENT);
  const [days, setDays] = useState('');
  const [made, setMade] = useState(null);
  const [fault, setFault] = useState(null);
  const flip = (scope) => setScopes(scopes.includes(scope) ? scopes.filter((one) => one !== scope) : [...scopes, scope]);
  const save = () => post('/v1/keys', { name, scopes, expires_at: days ? new Date(Date.now() + Number(days) * 86_400_000).toISOString() : null })
    .then((key) => { setMade(key); onMade(); }, (error) => setFault(error.words));
  if (made) {
    return html`<${Dialog} title=${t('keys.made')} onClose=${onClose} footer=${html`<${Button} kind="primary" onClick=${onClose}>${t('done')}<//>`}><p>${t('keys.made.text')}</p>
      <div class="secret"><code>${made.key}</code><${Button} icon="copy" label=${t('copy')} onClick=${() => copy(made.key)} /></div><//>`;
  }
  return html`<${Dialog} title=${t('keys.new')} onClose=${onClose} footer=${html`<${Button} onClick=${onClose}>${t('cancel')}<//><${Button} kind="primary" disabled=${!name.trim() || !scopes.length} onClick=${save}>${t('keys.create')}<//>`}>
    <${Field} label=${t('keys.name')} hint=${t('keys.name.hint')} error=${fault} maxlength="80" autofocus value=${name} onInput=${(event) => setName(event.target.value)} />
    <fieldset class="scopes"><legend>${t('keys.scopes')}</legend><div class="views">${Object.entries(SETS).map(([kind, list]) => html`<button key=${kind} type="button" class=${cx('chip', { chosen: String(list) === String(scopes) })} onClick=${() => setScopes(list)}>${t(`keys.set.${kind}`)}</button>`)}</div>
      <div class="scope-grid">${SCOPES.map((scope) => html`<label key=${scope}><input type="checkbox" checked=${scopes.includes(scope)} onChange=${() => flip(scope)} /><code>${scope}</code></label>`)}</div></fieldset>
    <${Field} label=${t('keys.expires')} kind="select" value=${days} onChange=${(event) => setDays(event.target.value)} options=${[['', t('time.never')], ['30', '30 d'], ['90', '90 d'], ['365', '365 d']]} /><//>`;
}

export function KeysPage() {
  const { data, error, isLoading, reload } = useLoad(() => get('/v1/keys'));
  const [isMaking, setMaking] = useState(false);
  const [ending, setEnding] = useState(null);
  const end = (key) => del(`/v1/keys/${key.id}`).then(() => { toast(t('keys.revoked.done')); setEnding(null); reload(); }, failed);
  const stateOf = (key) => (key.revoked_at ? 'revoked' : key.expires_at && new Date(key.expires_at) < new Date() ? 'expired' : 'valid');
  return html`<${Page} title=${t('nav.keys')} lead=${t('keys.lead')} actions=${html`<${Button} icon="plus" kind="primary" onClick=${() => setMaking(true)}>${t('keys.new')}<//>`}>
    ${error && html`<${Failure} error=${error} onRetry=${reload} />`}${!data && isLoading && html`<${Spinner} />`}
    ${data && html`<${Table} label=${t('nav.keys')} columns=${[t('keys.name'), t('keys.scopes'), t('keys.used'), t('keys.expires'), t('state'), '']}>
      ${data.data.map((key) => html`<tr role="row" key=${key.id} class=${stateOf(key)}><${Cell}><strong>${key.name}</strong><small><code>${key.id}</code></small><//><${Cell} label=${t('keys.scopes')} class="scope-list"><span>${key.scopes.length === SCOPES.length ? t('keys.set.all') : key.scopes.map((scope) => html`<code key=${scope}>${scope}</code> `)}</span><//>
        <${Cell} label=${t('keys.used')}>${key.last_used_at ? ago(key.last_used_at) : t('time.never')}<//><${Cell} label=${t('keys.expires')}>${key.expires_at ? day(key.expires_at) : t('time.never')}<//><${Cell} label=${t('state')}><${Badge} kind=${stateOf(key) === 'valid' ? 'ok' : 'plain'}>${t(`keys.${stateOf(key)}`)}<//><//>
        <${Cell}>${stateOf(key) === 'valid' && key.id !== 'key_bootstrap' && key.id !== session.get().key_id && html`<${Button} small kind="danger" onClick=${() => setEnding(key)}>${t('keys.revoke')}<//>`}<//></tr>`)}<//>`}
    <p class="muted"><${Icon} name="info" size=${15} /> ${t('keys.note')}</p>
    ${isMaking && html`<${NewKey} onClose=${() => setMaking(false)} onMade=${reload} />`}
    ${ending && html`<${Dialog} title=${t('keys.revoke.title', { name: ending.name })} onClose=${() => setEnding(null)} footer=${html`<${Button} onClick=${() => setEnding(null)}>${t('cancel')}<//><${Button} kind="danger" onClick=${() => end(ending)}>${t('keys.revoke')}<//>`}><p>${t('keys.revoke.text')}</p><//>`}<//>`;
}
