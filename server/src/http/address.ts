// Who is at the other end: the client's address behind trusted proxies, and the network it counts as. Believes a
// forwarded header only as far as the configuration trusts who sent it.
import { BlockList, isIP, isIPv4 } from 'node:net'
import { quote } from '../core/controls.ts'
import type { Finding } from '../core/fault.ts'

/** The eight groups of an IPv6 address, or of a compressed one. */
function groupsOf(address: string): readonly number[] {
  const [head = '', tail] = address.split('::')
  const read = (part: string) => (part === '' ? [] : part.split(':').map(group => Number.parseInt(group, 16)))
  const [left, right] = [read(head), read(tail ?? '')]
  return [...left, ...Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right]
}

const isMapped = (groups: readonly number[]): boolean =>
  groups.slice(0, 5).every(group => group === 0) && groups[5] === 0xffff

/**
 * One spelling for one address: IPv6 lower case and compressed, without zone; IPv4 in IPv6 (`::ffff:192.0.2.1`) as IPv4.
 * Also takes `[…]` and a port, as some proxies write them. Undefined: not an address.
 */
export function readAddress(text: string): string | undefined {
  const trimmed = text.trim()
  const bare =
    /^\[([^\]]*)\](?::\d{1,5})?$/.exec(trimmed)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(trimmed)?.[1] ?? trimmed
  const [address = ''] = bare.split('%')
  const family = isIP(address)
  if (family !== 6) return family === 4 ? address : undefined
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const groups = groupsOf(canonical)
  if (!isMapped(groups)) return canonical
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** What throttles count as one: an IPv4 address, an IPv6 /64. Anything else stands for itself. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const groups = groupsOf(address).slice(0, 4)
  return `${groups.map(group => group.toString(16)).join(':')}::/64`
}

export type Proxies = {
  readonly trusts: (address: string) => boolean
  readonly findings: readonly Finding[]
}

type Block = { readonly address: string; readonly length: number; readonly family: 'ipv4' | 'ipv6' }

/**
 * An address or a CIDR block of proxies, or what is wrong with it. IPv4 in IPv6 counts as IPv4, its bits too. No brackets and no
 * port: those are of hops, and a proxy has any.
 */
export function readBlock(text: string): Block | Omit<Finding, 'about'> {
  const instead = "Write your proxy's address or network: 10.0.0.5, 10.0.0.0/8 or fd00::/8"
  const [net = '', bits, ...more] = text.split('/')
  const address = isIP(net) === 0 ? undefined : readAddress(net)
  const family = address !== undefined && isIPv4(address) ? 'ipv4' : 'ipv6'
  const most = family === 'ipv4' ? 32 : 128
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  if (text === '*' || (address !== undefined && length === 0))
    return { wrong: `${quote(text)} would believe the address that anybody claims to have`, instead }
  if (address === undefined || more.length > 0 || !(length <= most))
    return { wrong: `${quote(text)} is not an address or network`, instead }
  return { address, length, family }
}

/** Each that is no block is a finding. */
export function openProxies(texts: readonly string[]): Proxies {
  const list = new BlockList()
  const findings: Finding[] = []
  for (const block of texts.map(readBlock)) {
    if ('wrong' in block) findings.push({ about: 'proxies', ...block })
    else list.addSubnet(block.address, block.length, block.family)
  }
  const trusts = (address: string) => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
  return { trusts, findings }
}

/**
 * The right-most hop that no trusted proxy vouches beyond. `socket` is the peer, `forwarded` the X-Forwarded-For header.
 * Something that is not an address ends the walk: who wrote it is the client. Empty: nobody knows.
 */
export function clientAddress(
  socket: string | undefined,
  forwarded: string | undefined,
  trusts: Proxies['trusts'],
): string {
  const peer = readAddress(socket ?? '')
  if (peer === undefined) return ''
  const hops = forwarded === undefined ? [] : forwarded.split(',')
  let client = peer
  while (trusts(client)) {
    const hop = readAddress(hops.pop() ?? '')
    if (hop === undefined) break
    client = hop
  }
  return client
}
