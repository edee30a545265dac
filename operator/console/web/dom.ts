type Child = Node | string | null | false

/** An element; `class`, `href` and the like as attributes, text never as HTML. */
export function el(tag: string, attributes: Readonly<Record<string, string>> = {}, ...children: Child[]): HTMLElement {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children.filter((child) => child !== null && child !== false))
  return element
}

/** Puts `children` into `parent`; what had the focus, by its `data-key`, has it again. */
export function fill(parent: Element, ...children: Child[]): void {
  const focused = document.activeElement
  const key = focused !== null && parent.contains(focused) ? focused.getAttribute('data-key') : null
  const selection = focused instanceof HTMLInputElement ? focused.selectionStart : null
  parent.replaceChildren(...children.filter((child) => child !== null && child !== false))
  if (key === null) return
  const again = [...parent.querySelectorAll('[data-key]')].find((element) => element.getAttribute('data-key') === key)
  if (!(again instanceof HTMLElement)) return
  again.focus({ preventScroll: true })
  if (again instanceof HTMLInputElement) again.setSelectionRange(selection, selection)
}

export function byId(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no #${id}`)
  return element
}
