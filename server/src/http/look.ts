// What the playground and the hosted pages share: colours, type, controls, the mark. Serves the files and knows no page.
import { readFileSync } from 'node:fs'
import { type Asset, openAsset } from './asset.ts'

const read = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`look/${name}`, import.meta.url)))

export type Look = { readonly style: Asset; readonly icon: Asset }

/** Served below `folder`, which is exact and has no slash at its end. */
export const openLook = (folder: string): Look => ({
  style: openAsset(folder, { name: 'look.css', type: 'text/css; charset=utf-8', bytes: read('look.css') }),
  icon: openAsset(folder, {
    name: 'icon.svg',
    type: 'image/svg+xml; charset=utf-8',
    bytes: read('icon.svg'),
  }),
})
