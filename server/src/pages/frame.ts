// What stands around every page: the document, the brand, where its files are. Knows no page by name and no call.

import { type Html, html } from '../http/html.ts'
import type { Seen, Shown } from '../http/shown.ts'
import type { Brand } from './brand.ts'

/** What all pages of one dialect share. */
export type Stage = {
  readonly brand: Brand
  /** What the paths of the pages begin with, behind `Seen.root`: `''` or `/api`. */
  readonly base: string
  /** From the pages' folder of files, in the order in which they count. */
  readonly styles: readonly string[]
  readonly script: string
  readonly logo: string
}

/** Where browsers find a page or a file of the pages. */
export const at = ({ base }: Stage, { root }: Seen, path: `/${string}`): string => `${root}${base}${path}`

export type Framed = {
  /** Of the window and, unless `heading` says otherwise, of the page. */
  readonly title: string
  readonly body: Html
  /** Something was wrong: said first in the window's title, where a screen reader begins. */
  readonly wrong?: boolean
  /** More than a form: sessions stand side by side. */
  readonly wide?: boolean
  /** What else stands in the head. */
  readonly head?: Html
}

export function frame(stage: Stage, seen: Seen, { title, body, wrong, wide, head }: Framed): Html {
  const file = (href: string) => at(stage, seen, `/pages/${href}`)
  const { name } = stage.brand
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${wrong ? 'Error: ' : ''}${title} – ${name}</title>${head}
<link rel="icon" href="${file(stage.logo)}">
${stage.styles.map(style => html`<link rel="stylesheet" href="${file(style)}">\n`)}<script nonce="${seen.nonce}" src="${file(stage.script)}" defer></script>
</head>
<body>
<header><img src="${file(stage.logo)}" alt="" width="44" height="44"><p>${name}</p></header>
<main class="card${wide ? ' wide' : ''}">
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`
}

/** A page with a sentence and something to go on by. */
export function say(
  stage: Stage,
  seen: Seen,
  said: { readonly title: string; readonly status?: number; readonly body: Html; readonly wrong?: boolean },
): Shown {
  const { status, ...framed } = said
  return { html: frame(stage, seen, framed), ...(status === undefined ? {} : { status }) }
}
