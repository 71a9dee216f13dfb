// A small file that pages load: served below some path, under an address that changes with its content, so that browsers
// may keep it. Knows no page.
import { createHash } from 'node:crypto'
import type { Page } from './page.ts'

export type Asset = {
  /** From the folder it is served below. */
  readonly href: string
  readonly page: Page
}

export type AssetFile = {
  readonly name: string
  /** Content-Type, with its charset. */
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
  /** In place of the API's Content-Security-Policy: for what is a document of its own. */
  readonly csp?: string
}

/** `folder`: exact, from the root, without a slash at its end. */
export function openAsset(folder: string, { name, type, bytes, csp }: AssetFile): Asset {
  const tag = createHash('sha256').update(bytes).digest('base64url').slice(0, 16)
  return {
    href: `${name}?${tag}`,
    page: {
      path: `${folder}/${name}`,
      type,
      ...(csp === undefined ? {} : { csp }),
      headers: { 'Cache-Control': 'public, max-age=86400', ETag: `"${tag}"` },
      body: () => bytes,
    },
  }
}
