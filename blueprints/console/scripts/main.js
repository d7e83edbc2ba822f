// The first thing that runs: words, session, then the page.
import { html, render, useEffect, useState, useStore } from './ui.js';
import { loadFailures } from './failures.js';
import { loadWords, useLocale } from './words.js';
import { keepAlive, look, session } from './session.js';
import { goLive, goQuiet, prepare } from './live.js';
import { applyTheme } from './theme.js';
import { Login } from './login.js';
import { Shell } from './shell.js';
import { Toasts } from './widgets.js';

function App() {
  useLocale();
  const isIn = useStore(session, (state) => state.signed_in);
  const isKnown = useStore(session, (state) => state.isKnown);
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    if (isIn) prepare().then(() => { setReady(true); goLive(); });
    else setReady(false);
    return goQuiet;
  }, [isIn]);
  if (!isKnown || (isIn && !isReady)) return null;
  return html`${isIn ? html`<${Shell} />` : html`<${Login} />`}<${Toasts} />`;
}

applyTheme();
await Promise.all([loadWords(), loadFailures()]);
await look().catch(() => session.set({ isKnown: true, reason: 'away' }));
keepAlive();
const root = document.getElementById('app');
root.replaceChildren();
render(html`<${App} />`, root);
