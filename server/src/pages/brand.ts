// Whose pages these are: a name, a logo, a few colours. Reads the files once, at start, and says what is wrong with them;
// serves nothing.
import { isUtf8 } from 'node:buffer'
import { readFileSync, statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { codeOf, type Finding } from '../core/fault.ts'
import type { AssetFile } from '../http/asset.ts'

export type Brand = {
  readonly name: string
  readonly logo: AssetFile | undefined
  /** Comes after ours: what it sets counts. */
  readonly style: AssetFile | undefined
}

/** As an operator writes it: paths from the working folder. */
export type BrandOptions = {
  readonly name: string
  readonly logo: string | undefined
  readonly style: string | undefined
}

/** In bytes: every page loads them. */
const largest = 256 * 1024

type Form = { readonly type: string; readonly is: (bytes: Buffer) => boolean; readonly csp?: string }

const isText = (bytes: Buffer): boolean => !bytes.includes(0) && isUtf8(bytes)

const startsWith =
  (...start: readonly number[]) =>
  (bytes: Buffer) =>
    start.every((byte, i) => bytes[i] === byte)

/** Opened by itself it is a document: it may look as it likes, and do nothing. */
const still = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"

const logos: Readonly<Record<string, Form>> = {
  '.svg': {
    type: 'image/svg+xml; charset=utf-8',
    is: bytes => isText(bytes) && /<svg[\s>]/.test(bytes.toString('utf8')),
    csp: still,
  },
  '.png': { type: 'image/png', is: startsWith(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a) },
  '.webp': {
    type: 'image/webp',
    is: bytes => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
  },
}

const styles: Readonly<Record<string, Form>> = { '.css': { type: 'text/css; charset=utf-8', is: isText } }

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  ENOTDIR: 'is not there',
  EACCES: 'may not be read',
}

type Read = { readonly file: AssetFile | undefined; readonly findings: readonly Finding[] }

function readFile(about: string, path: string, name: string, forms: Readonly<Record<string, Form>>): Read {
  const wrong = (what: string, instead: string): Read => ({
    file: undefined,
    findings: [{ about, wrong: `${path} ${what}`, instead }],
  })
  const kinds = Object.keys(forms).join(', ')
  const extension = extname(path).toLowerCase()
  const form = forms[extension]
  if (!form) return wrong(`does not end in ${kinds}`, `Name a file that ends in ${kinds}`)
  try {
    const at = resolve(path)
    const found = statSync(at)
    if (!found.isFile()) return wrong('is not a file', 'Name a file')
    if (found.size > largest) return wrong(`is larger than ${largest / 1024} KiB`, 'Make it smaller')
    const bytes = readFileSync(at)
    if (!form.is(bytes)) return wrong(`is not what ${extension} says`, `Name a real ${extension} file`)
    const { type, csp } = form
    const file = { name: `${name}${extension}`, type, bytes: new Uint8Array(bytes) }
    return { file: csp === undefined ? file : { ...file, csp }, findings: [] }
  } catch (error) {
    const code = codeOf(error)
    if (code === undefined) throw error
    return wrong(reasons[code] ?? `cannot be read (${code})`, 'Name a file that Rusk may read')
  }
}

const none: Read = { file: undefined, findings: [] }

/** `findings`: everything that is wrong, each with the option and the path. */
export function readBrand({ name, logo, style }: BrandOptions): {
  readonly brand: Brand
  readonly findings: readonly Finding[]
} {
  const logoRead = logo === undefined ? none : readFile('brand.logo', logo, 'logo', logos)
  const styleRead = style === undefined ? none : readFile('brand.style', style, 'brand', styles)
  return {
    brand: { name, logo: logoRead.file, style: styleRead.file },
    findings: [...logoRead.findings, ...styleRead.findings],
  }
}
