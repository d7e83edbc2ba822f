import { html } from '../ui.js';
import { Page } from '../widgets.js';
export const EndpointsPage = () => html`<${Page} title="…" />`;
