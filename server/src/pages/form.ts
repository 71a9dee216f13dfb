// Forms that anybody can use: labels, hints and findings that belong together, values that are kept. Knows no page; what a
// password was it is never told.
import { type Html, html } from '../http/html.ts'
import type { NamedRefusal, Seen } from '../http/shown.ts'
import { sayIssue, sayRefusal } from './sentences.ts'

export type Control = {
  /** On the wire and in the document. */
  readonly name: string
  /** The operation's name for it. */
  readonly field: string
  readonly label: string
  readonly kind: 'text' | 'email' | 'password'
  /** HTML Standard §4.10.18.7: what browsers and password managers fill in. */
  readonly autocomplete: 'username' | 'email' | 'name' | 'current-password' | 'new-password'
  readonly required: boolean
  readonly hint?: string
}

/** What is wrong: findings by control, and what is about none of them. */
export type Wrongs = { readonly by: ReadonlyMap<string, string>; readonly whole: Html | undefined }

export const nothingWrong: Wrongs = { by: new Map(), whole: undefined }

/** A refusal as the form says it: each issue at its control, everything else above them. */
export function wrongsOf(refusal: NamedRefusal, controls: readonly Control[]): Wrongs {
  const by = new Map<string, string>()
  const rest: string[] = []
  for (const issue of refusal.issues ?? []) {
    const control = controls.find(({ name }) => name === issue.field)
    const said = sayIssue(issue, control?.field ?? '')
    if (control) by.set(control.name, [by.get(control.name), said].filter(Boolean).join(' '))
    else rest.push(said)
  }
  const alone = by.size === 0 && rest.length === 0 ? [sayRefusal(refusal)] : rest
  return { by, whole: alone.length === 0 ? undefined : html`<p>${alone.join(' ')}</p>` }
}

/** One finding at one control. */
export const wrongAt = (name: string, sentence: string): Wrongs => ({
  by: new Map([[name, sentence]]),
  whole: undefined,
})

/** Said above everything, with a way to each control; the focus begins here. */
export function summary({ by, whole }: Wrongs): Html | undefined {
  if (by.size === 0 && whole === undefined) return undefined
  const lead = whole ?? html`<p>Please put this right:</p>`
  const links = [...by].map(([name, said]) => html`<li><a href="#${name}">${said}</a></li>`)
  return html`<div class="notice" role="alert" tabindex="-1" autofocus>
${lead}${links.length === 0 ? undefined : html`<ul>${links}</ul>`}
</div>`
}

/** What is typed into it is no sentence: nothing corrects it. */
const plain = html` spellcheck="false" autocapitalize="none" autocorrect="off"`

const typed: Readonly<Record<Control['autocomplete'], Html | undefined>> = {
  username: plain,
  email: html` inputmode="email"${plain}`,
  name: undefined,
  'current-password': plain,
  'new-password': plain,
}

/** Shown by the script alone, which is what it works by. */
const reveal = (name: string, label: string): Html =>
  html`<button type="button" class="reveal" data-reveals="${name}" aria-pressed="false" aria-label="Show ${label.toLowerCase()}" hidden>Show</button>`

/** Whether no page of another site led here. Undefined: the browser does not say. */
export const isNear = (from: Seen['from']): boolean =>
  from === 'same-origin' || from === 'same-site' || from === 'none'

/** What a form begins with: another site may lead people here, but not fill in what they send. */
export const begunWith = ({ from, fields }: Seen): Seen['fields'] =>
  from === undefined || isNear(from) ? fields : {}

export function control(seen: Seen, each: Control, { by }: Wrongs): Html {
  const { name, label, kind, autocomplete, required, hint } = each
  const wrong = by.get(name)
  const told = [...(hint ? [`${name}-hint`] : []), ...(wrong ? [`${name}-wrong`] : [])].join(' ')
  const value = kind === 'password' ? undefined : begunWith(seen)[name]
  const input = html`<input id="${name}" name="${name}" type="${kind}" autocomplete="${autocomplete}"${typed[autocomplete]}${
    value === undefined ? undefined : html` value="${value}"`
  }${required ? html` required` : undefined}${told === '' ? undefined : html` aria-describedby="${told}"`}${
    wrong ? html` aria-invalid="true"` : undefined
  }>`
  return html`<div class="field">
<label for="${name}">${label}${required ? undefined : html` <span class="quiet">(optional)</span>`}</label>
${hint ? html`<p class="quiet" id="${name}-hint">${hint}</p>\n` : undefined}${
  kind === 'password' ? html`<div class="password">${input}${reveal(name, label)}</div>` : input
}
${wrong ? html`<p class="wrong" id="${name}-wrong">${wrong}</p>\n` : undefined}</div>
`
}

/** Empty: there is nothing to carry. */
export const carried = (name: string, value: string | undefined): Html | undefined =>
  value === undefined ? undefined : html`<input type="hidden" name="${name}" value="${value}">\n`
