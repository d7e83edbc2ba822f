import { html } from '../ui.js';
import { Page } from '../widgets.js';
export const CampaignsPage = () => html`<${Page} title="…" />`;
