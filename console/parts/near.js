/** Whether an element is near the viewport, so that content far below is loaded only when needed. */

import { useEffect, useRef, useState } from "preact/hooks";

/** @returns {[import("preact").RefObject<any>, boolean]} */
export function useNear() {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const { current } = element;
    if (!current || isNear) return;
    const observer = new IntersectionObserver((found) => found.some((each) => each.isIntersecting) && setNear(true), {
      rootMargin: "400px",
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, [isNear]);
  return [element, isNear];
}
