import { html } from '../ui.js';
import { Page } from '../widgets.js';
export const ContactsPage = () => html`<${Page} title="…" />`;
