// Begin a conversation: a number, and a template, since the customer has not written yet.
import { html, useState } from '../ui.js';
import { get, post, query } from '../api.js';
import { session, isSandbox } from '../session.js';
import { Button, Dialog, Field, failed } from '../widgets.js';
import { TemplatePicker } from './template_picker.js';
import { useCatalogue } from './catalogue.js';
import { place } from './state.js';
import { t } from '../words.js';

const WAIT_MS = 250;
const TRIES = 24;

async function find(waId) {
  for (let n = 0; n < TRIES; n += 1) {
    const found = await get(`/v1/conversations${query({ wa_id: waId, limit: 1 })}`);
    if (found.data.length) {
      place(found.data[0]);
      return found.data[0].id;
    }
    await new Promise((done) => setTimeout(done, WAIT_MS));
  }
  return null;
}

export function NewChat({ onClose, onStarted }) {
  const catalogue = useCatalogue();
  const [to, setTo] = useState('');
  const [isPicking, setPicking] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const digits = to.replace(/\D/g, '');
  const isNumber = digits.length >= 7 && digits.length <= 15;
  const open = async (event) => {
    event.preventDefault();
    if (!isNumber) return;
    setBusy(true);
    try {
      const found = await get(`/v1/conversations${query({ wa_id: digits, limit: 1 })}`);
      if (found.data.length) {
        place(found.data[0]);
        onStarted(found.data[0].id);
      } else setPicking(true);
    } catch (error) {
      failed(error);
    } finally {
      setBusy(false);
    }
  };
  const pick = async (template) => {
    setPicking(false);
    setBusy(true);
    try {
      await post('/v1/messages', { to: digits, type: 'template', template }, { headers: { 'idempotency-key': `${session.get().key_id}-${Date.now()}` } });
      const id = await find(digits);
      if (id) onStarted(id);
      else onClose();
    } catch (error) {
      failed(error);
      setBusy(false);
    }
  };
  if (isPicking) return html`<${TemplatePicker} catalogue=${catalogue} onClose=${() => setPicking(false)} onPick=${pick} sendWords=${t('new.send', { to: `+${digits}` })} />`;
  return html`<${Dialog} title=${t('new.title')} onClose=${onClose} footer=${html`<${Button} onClick=${onClose}>${t('cancel')}<//><${Button} kind="primary" isBusy=${isBusy} disabled=${!isNumber} onClick=${open}>${t('new.next')}<//>`}>
    <form onSubmit=${open}><${Field} label=${t('new.to')} hint=${t(isSandbox() ? 'new.hint.sandbox' : 'new.hint')} inputmode="tel" autocomplete="off" placeholder="+1 650 555 1234" autofocus value=${to} onInput=${(event) => setTo(event.target.value)} /></form><//>`;
}
