// Types that the checker cannot infer from the pages: selectors find only HTML elements, events
// come from elements, and scripts and htmx send their own events.

/** An element found by a selector. Only the template knows its type, so properties of special
 * elements are not checked. A selector that is a tag name gives the exact type. */
interface Found extends HTMLElement {
  [name: string]: any;
}

interface ParentNode {
  querySelector<K extends keyof HTMLElementTagNameMap>(selectors: K): HTMLElementTagNameMap[K] | null;
  querySelector(selectors: string): Found | null;
  querySelectorAll<K extends keyof HTMLElementTagNameMap>(selectors: K): NodeListOf<HTMLElementTagNameMap[K]>;
  querySelectorAll(selectors: string): NodeListOf<Found>;
}

interface Element {
  closest<K extends keyof HTMLElementTagNameMap>(selectors: K): HTMLElementTagNameMap[K] | null;
  closest(selectors: string): Found | null;
}

interface FromElement {
  readonly target: Found;
}
interface FromField {
  readonly target: HTMLInputElement;
}
interface FromForm {
  readonly target: HTMLFormElement;
}

interface PageEvents {
  click: PointerEvent & FromElement;
  dblclick: MouseEvent & FromElement;
  focusin: FocusEvent & FromElement;
  focusout: FocusEvent & FromElement;
  keydown: KeyboardEvent & FromElement;
  pointerdown: PointerEvent & FromElement;
  pointermove: PointerEvent & FromElement;
  pointerup: PointerEvent & FromElement;
  dragstart: DragEvent & FromElement;
  dragover: DragEvent & FromElement;
  drop: DragEvent & FromElement;
  toggle: ToggleEvent & FromElement;
  input: InputEvent & FromField;
  change: Event & FromField;
  submit: SubmitEvent & FromForm;
  reset: Event & FromForm;
  close: Event & { readonly target: HTMLDialogElement };
}

type Listener<E> = (event: E) => unknown;

interface Document {
  getElementById(id: string): Found | null;
  addEventListener<K extends keyof PageEvents>(type: K, listener: Listener<PageEvents[K]>, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: `${string}:${string}`, listener: Listener<CustomEvent & FromElement>, options?: boolean | AddEventListenerOptions): void;
}

interface HTMLElement {
  addEventListener<K extends keyof PageEvents>(type: K, listener: Listener<PageEvents[K]>, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: `${string}:${string}`, listener: Listener<CustomEvent & FromElement>, options?: boolean | AddEventListenerOptions): void;
}

interface HTMLFormElement {
  addEventListener<K extends keyof PageEvents>(type: K, listener: Listener<PageEvents[K]>, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: `${string}:${string}`, listener: Listener<CustomEvent & FromElement>, options?: boolean | AddEventListenerOptions): void;
}

interface HTMLInputElement {
  addEventListener<K extends keyof PageEvents>(type: K, listener: Listener<PageEvents[K]>, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: `${string}:${string}`, listener: Listener<CustomEvent & FromElement>, options?: boolean | AddEventListenerOptions): void;
}

interface HTMLFormControlsCollection {
  [name: string]: any;
}

interface Htmx {
  ajax(method: string, address: string, options: object): Promise<void>;
  process(element: Element): void;
  trigger(element: Element, event: string): void;
}

declare const htmx: Htmx;
interface Window {
  readonly htmx: Htmx;
}
