import { html } from '../ui.js';
import { Page } from '../widgets.js';
export const TemplatesPage = () => html`<${Page} title="…" />`;
