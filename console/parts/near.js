/** Whether an element is near the window, so that what is far below is asked for when somebody goes there. */

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
