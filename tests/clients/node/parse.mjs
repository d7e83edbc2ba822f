// Webhook requests, as they were received, through a client's own code: its signature check and its parser.
// One line a request: `{"ok", "seen": [{"kind" or "status", "id"}]}`.
import { WhatsAppAPI } from "whatsapp-api-js";
import { normalizeWebhook, verifySignature } from "@kapso/whatsapp-cloud-api/server";
import GreatDetail from "@great-detail/whatsapp";
import whatsappBusiness from "whatsapp-business";
import express from "express";
import { orders, requests, say } from "./lib.mjs";

const { app_secret, client } = orders;

async function whatsappApiJs({ body, headers }) {
    const seen = [];
    const api = new WhatsAppAPI({ token: "x", appSecret: app_secret });
    api.on.message = ({ message }) => seen.push({ kind: message.type, id: message.id });
    api.on.status = ({ status, id }) => seen.push({ status, id });
    await api.post(JSON.parse(body), body, headers["x-hub-signature-256"]);
    await new Promise((done) => setTimeout(done, 5)); // handlers run a moment later
    return seen;
}

async function kapso({ body, headers }) {
    const isGood = verifySignature({ appSecret: app_secret, rawBody: body, signatureHeader: headers["x-hub-signature-256"] });
    if (!isGood) throw new Error("the signature does not fit");
    const found = normalizeWebhook(JSON.parse(body));
    const errors = (found.raw.messages ?? []).flatMap((value) => value.errors ?? []);
    const snake = (field) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return [
        ...Object.keys(found.raw).map((field) => ({ field: snake(field) })),
        ...errors.map((one) => ({ kind: "errors", id: String(one.code) })),
        ...found.messages.map((one) => ({ kind: one.type, id: one.id })),
        ...found.statuses.map((one) => ({ status: one.status, id: one.id })),
    ];
}

async function greatDetail({ body, headers }) {
    const event = await new GreatDetail({}).webhook.eventNotification({ method: "POST", query: {}, body, headers });
    await event.verifySignature(app_secret);
    const { field, value } = event.eventNotification.entry[0].changes[0];
    return [
        { field },
        ...(value.errors ?? []).map((one) => ({ kind: "errors", id: String(one.code) })),
        ...(value.messages ?? []).map((one) => ({ kind: one.type, id: one.id })),
        ...(value.statuses ?? []).map((one) => ({ status: one.status, id: one.id })),
    ];
}

const seenByBusiness = [];
let businessUrl;

async function startWhatsappBusiness() {
    const app = express();
    app.use(express.json());
    const hook = new whatsappBusiness.WebhookClient({ token: "x", path: "/hook", expressApp: { app, shouldStartListening: false } });
    hook.initWebhook({
        onMessageReceived: (message) => seenByBusiness.push({ kind: message.type, id: message.id }),
        onStatusReceived: (status) => seenByBusiness.push({ status: status.status, id: status.id }),
    });
    const server = await new Promise((done) => {
        const made = app.listen(0, "127.0.0.1", () => done(made));
    });
    businessUrl = `http://127.0.0.1:${server.address().port}/hook`;
    return server;
}

async function whatsappBusinessHook({ body }) {
    seenByBusiness.length = 0;
    const answer = await fetch(businessUrl, { method: "POST", body, headers: { "content-type": "application/json" } });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return [...seenByBusiness];
}

const parsers = { "whatsapp-api-js": whatsappApiJs, kapso, "great-detail": greatDetail, "whatsapp-business": whatsappBusinessHook };
const server = client === "whatsapp-business" ? await startWhatsappBusiness() : null;
for (const request of requests()) {
    try {
        say({ ok: true, seen: await parsers[client](request) });
    } catch (error) {
        say({ ok: false, seen: [], error: `${error?.name}: ${error?.message}` });
    }
}
server?.close();
