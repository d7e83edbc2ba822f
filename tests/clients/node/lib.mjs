// What every runner needs: its orders on stdin, one JSON line a step on stdout.
import { readFileSync } from "node:fs";

/** base_url, token, number, waba, to, app_secret, links{}, samples, inbound_wamid, template{} */
export const orders = JSON.parse(readFileSync(0, "utf-8"));

export function say(line) {
    process.stdout.write(JSON.stringify(line) + "\n");
}

/** One step of a client: what it sent, and the id that came back. A step that fails says why, and the next one runs. */
export async function step(kind, action) {
    try {
        const answer = await action();
        if (answer?.error) throw new Error(JSON.stringify(answer.error));
        const id = answer?.messages?.[0]?.id ?? null;
        say({ kind, ok: true, id });
        return { answer, id };
    } catch (error) {
        const body = error?.response?.data ?? error?.raw ?? (await bodyOf(error));
        say({ kind, ok: false, error: `${error?.name}: ${error?.message} ${JSON.stringify(body ?? null)}`.slice(0, 1500) });
        return { answer: null, id: null };
    }
}

async function bodyOf(error) {
    try {
        return error?.data ?? (await error?.response?.text?.());
    } catch {
        return null;
    }
}

export function sample(name) {
    return readFileSync(`${orders.samples}/sample.${name}`);
}

/** Requests as the webhook receiver got them: `{"body", "headers"}` each. */
export function requests() {
    return orders.requests;
}
