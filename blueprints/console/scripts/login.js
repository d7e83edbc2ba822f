// The sign-in page: it asks for an API key with the scope `console`.
import { html, useState, useStore } from './ui.js';
import { session, signIn } from './session.js';
import { Mark } from './icons.js';
import { Button, Field } from './widgets.js';
import { LocaleSwitch, ThemeSwitch } from './shell_switches.js';
import { t } from './words.js';

export function Login() {
  const reason = useStore(session, (state) => state.reason);
  const isSandbox = useStore(session, (state) => state.whatsapp === 'sandbox');
  const [key, setKey] = useState('');
  const [fault, setFault] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setFault(null);
    try {
      await signIn(key);
    } catch (error) {
      setFault(error.status === 401 ? t('login.wrong') : error.status === 403 ? t('login.scope') : error.words);
      setBusy(false);
    }
  };
  return html`<main class="login" id="main">
    <form class="login-card" onSubmit=${submit}>
      <${Mark} size=${56} />
      <h1>Panal</h1>
      <p class="lead">${t('login.lead')}</p>
      ${reason === 'ended' && !fault && html`<p class="notice" role="status">${t('login.ended')}</p>`}
      ${reason === 'away' && !fault && html`<p class="notice bad" role="alert">${t('login.away')}</p>`}
      <${Field} label=${t('login.key')} kind="password" autocomplete="current-password" required autofocus value=${key} error=${fault}
        onInput=${(event) => setKey(event.target.value)} hint=${t(isSandbox ? 'login.hint.local' : 'login.hint')} />
      <${Button} kind="primary wide" type="submit" isBusy=${isBusy}>${t('login.enter')}<//>
      <div class="login-switches"><${LocaleSwitch} /><${ThemeSwitch} /></div>
    </form></main>`;
}
