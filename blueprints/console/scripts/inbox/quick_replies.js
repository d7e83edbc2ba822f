// Sentences that are written often; each browser keeps its own.
import { html, useState } from '../ui.js';
import { remember, remembered } from '../remembering.js';
import { Button } from '../widgets.js';
import { t } from '../words.js';

const MOST = 30;

export function QuickReplies({ onPick }) {
  const [replies, setReplies] = useState(() => remembered('quick', null) ?? [t('quick.1'), t('quick.2'), t('quick.3')]);
  const [text, setText] = useState('');
  const keep = (list) => { setReplies(list); remember('quick', list); };
  const add = (event) => {
    event.preventDefault();
    if (text.trim()) keep([...replies, text.trim()].slice(-MOST));
    setText('');
  };
  return html`<div class="quick"><h3>${t('quick')}</h3><ul>${replies.map((words, position) => html`<li key=${words}><button type="button" class="menu-item" onClick=${() => onPick(words)}>${words}</button>
    <${Button} icon="trash" kind="quiet" small label=${t('quick.remove', { words })} onClick=${() => keep(replies.filter((_, other) => other !== position))} /></li>`)}</ul>
    <form onSubmit=${add}><input value=${text} placeholder=${t('quick.new')} aria-label=${t('quick.new')} onInput=${(event) => setText(event.target.value)} /><${Button} icon="plus" small type="submit" label=${t('quick.add')} /></form></div>`;
}
