/** A value after it has not changed for a moment: a typed filter is sent when typing pauses. */

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
