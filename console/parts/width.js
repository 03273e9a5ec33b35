/** The width of an element in whole pixels: charts are drawn at their real size, so that their text keeps its size. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** @returns {[import("preact").RefObject<any>, number]} 0 until it is known */
export function useWidth() {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    const measure = () => setWidth(Math.floor(current.clientWidth));
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    measure();
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

const phone = matchMedia("(max-width: 720px)");

/** Whether the page is as narrow as a phone's; the style sheets use the same limit. */
export function usePhone() {
  const [isPhone, setPhone] = useState(phone.matches);
  useLayoutEffect(() => {
    const change = () => setPhone(phone.matches);
    phone.addEventListener("change", change);
    return () => phone.removeEventListener("change", change);
  }, []);
  return isPhone;
}
