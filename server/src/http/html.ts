// HTML made from text without a hole: whatever is put into a template is escaped unless it was made by one. Hono's tag does
// it; here it is kept from being given anything to wait for, or anything that is no text.
import { html as tag } from 'hono/html'
import { Fault } from '../core/fault.ts'

/** Markup. Its text is what `toString` gives; to the compiler it is no string, so that none is taken for it. */
export type Html = { readonly isEscaped: true; toString(): string }

/** Undefined and false: nothing. */
type Part = string | number | false | undefined | Html | readonly Html[]

/** A template tag. Attribute values must stand in quotes; nothing may be put into script or style. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const made = tag(strings, ...parts)
  if (made instanceof Promise) throw new Fault('A template was given something to wait for')
  return made
}
