// HTML made from text without a hole: whatever is put into a template is escaped unless it is markup itself.

export type Markup = { readonly markup: string }

type Part = string | number | Markup | readonly Markup[]

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, character => entities[character] ?? '')

function write(part: Part): string {
  if (typeof part === 'string') return escaped(part)
  if (typeof part === 'number') return String(part)
  return 'markup' in part ? part.markup : part.map(each => each.markup).join('')
}

/** A template tag. Attribute values must stand in quotes; nothing may be put into script or style. */
export const markup = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup => ({
  markup: strings.map((text, i) => (i === 0 ? text : `${write(parts[i - 1] ?? '')}${text}`)).join(''),
})

export const nothing: Markup = { markup: '' }
