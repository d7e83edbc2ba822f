// What every part of the page is made with: preact, htm, a small store, and classes.
import {
  html, render, createContext, useState, useEffect, useLayoutEffect, useMemo, useRef, useReducer, useCallback, useContext,
} from '../vendor/htm-3.1.1.js';

export { html, render, createContext, useState, useEffect, useLayoutEffect, useMemo, useRef, useReducer, useCallback, useContext };

/** Class names: strings as they are, objects by their true values. */
export function cx(...parts) {
  return parts.flatMap((part) => (part && typeof part === 'object'
    ? Object.keys(part).filter((name) => part[name]) : part || [])).join(' ');
}

/** A value that many parts look at. `set` takes a patch or a function of the state that makes one. */
export function createStore(initial) {
  let state = initial;
  const watchers = new Set();
  return {
    get: () => state,
    set(patch) {
      state = { ...state, ...(typeof patch === 'function' ? patch(state) : patch) };
      for (const watcher of [...watchers]) watcher();
    },
    subscribe(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}

/** The picked part of a store; the component is drawn again when it changes. */
export function useStore(store, pick = (state) => state) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const value = pick(store.get());
  const seen = useRef();
  seen.current = { value, pick };
  useLayoutEffect(() => {
    const look = () => {
      if (!Object.is(seen.current.pick(store.get()), seen.current.value)) redraw();
    };
    look();
    return store.subscribe(look);
  }, [store]);
  return value;
}

/** Run something now and every so often, while the page is visible. */
export function useEvery(work, everyMs, inputs = []) {
  useEffect(() => {
    let isOver = false;
    let timer;
    const step = async () => {
      if (!document.hidden) await work();
      if (!isOver) timer = setTimeout(step, everyMs);
    };
    step();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, inputs);
}

/** Load something when its inputs change: `{data, error, isLoading, reload}`. */
export function useLoad(load, inputs = []) {
  const [state, setState] = useState({ isLoading: true });
  const [turn, again] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    let isOver = false;
    setState((before) => ({ ...before, isLoading: true }));
    load().then(
      (data) => isOver || setState({ data, isLoading: false }),
      (error) => isOver || setState((before) => ({ data: before.data, error, isLoading: false })),
    );
    return () => { isOver = true; };
  }, [...inputs, turn]);
  return { ...state, reload: again };
}

export const isNarrow = () => matchMedia('(max-width: 899px)').matches;
