// The templates of the WABA, read once and again when they change.
import { createStore, useEffect, useStore } from '../ui.js';
import { list } from '../api.js';
import { onEvent } from '../live.js';

const store = createStore({ templates: null });

export async function loadCatalogue() {
  const found = await list('/v1/templates?limit=200').catch(() => ({ data: [] }));
  store.set({ templates: found.data });
}
onEvent((event) => event?.type?.startsWith('template.') && store.get().templates && loadCatalogue());

export function useCatalogue() {
  useEffect(() => { if (!store.get().templates) loadCatalogue(); }, []);
  return useStore(store, (state) => state.templates) ?? [];
}
