// Who is whose neighbour to a browser: hosts and sites (scheme and registrable domain). Decides nothing about what follows
// from it.
import { isIP } from 'node:net'

export const hostOf = (url: string): string => new URL(url).hostname

/** Shared hosting under which strangers are neighbours; the full list of such suffixes is thousands long. */
const publicSuffixes =
  /^(?:(?:ac|co|com|edu|go|gov|ne|net|or|org)\.[a-z]{2}|github\.io|gitlab\.io|vercel\.app|netlify\.app|pages\.dev|workers\.dev|web\.app|firebaseapp\.com|herokuapp\.com|onrender\.com|fly\.dev|azurewebsites\.net|cloudfront\.net)$/

/** The registrable domain, nearly: one label more than the public suffix. */
export function siteOf(host: string): string {
  const labels = host.split('.')
  if (isIP(host.replace(/^\[|\]$/g, '')) !== 0 || labels.length < 3) return host
  return labels.slice(publicSuffixes.test(labels.slice(-2).join('.')) ? -3 : -2).join('.')
}

/**
 * Whether browsers hold a page of this origin and Rusk for one site (scheme and registrable domain), so that SameSite
 * cookies travel. Shared suffixes are known only as far as they are common.
 */
export function relateSites(
  origin: string,
  url: string,
): 'same-origin' | 'same-host' | 'sibling' | 'foreign' {
  const [page, rusk] = [new URL(origin), new URL(url)]
  if (page.origin === rusk.origin) return 'same-origin'
  if (page.protocol !== rusk.protocol || siteOf(page.hostname) !== siteOf(rusk.hostname)) return 'foreign'
  return page.hostname === rusk.hostname ? 'same-host' : 'sibling'
}
