/** A value once it has stayed the same for a moment: what is typed is asked for when the fingers rest. */

import { useEffect, useState } from "preact/hooks";

const REST = 130;

/** @template T @param {T} value @returns {T} */
export function useSettled(value) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), REST);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
