import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCookies } from './carried.ts'

const read: readonly [sentence: string, header: string | undefined, want: readonly string[]][] = [
  ['no header, no values', undefined, []],
  ['one pair', 'at=v', ['v']],
  ['a name that is sent twice has two values, in their order', 'at=1; x=y; at=2', ['1', '2']],
  ['space and tab around a pair are not part of it', 'x=y; \t at=v \t; z=1', ['v']],
  ['the space after the semicolon may be missing', 'x=y;at=v', ['v']],
  ['a name in another case is another name', 'AT=1; At=2; aT=3', []],
  ['a name after NBSP is another name', '\u00a0at=v', []],
  ['a name after a byte order mark is another name', '\ufeffat=v', []],
  ['a name after VT or FF is another name', '\u000bat=v; \u000cat=w', []],
  ['a name that is percent-encoded is another name', '%61t=v; %20at=w', []],
  ['a name with a tab behind it is another name', 'at\t=v', []],
  ['a longer name is another name', 'xat=1; atx=2; at.x=3', []],
  ['quotes are part of the value', 'at="v"', ['"v"']],
  ['quotes do not hide a semicolon', 'a="x; at=v; y"', ['v']],
  ['nothing is decoded', 'at=%41\\b,c', ['%41\\b,c']],
  ['a comma does not part pairs', 'x=y, at=v', []],
  ['an ampersand does not part pairs', 'x=y&at=v', []],
  ['a value may hold equals signs', 'at=a=b==', ['a=b==']],
  ['a value may be empty', 'at=; x', ['']],
  ['a name without an equals sign is no cookie', 'at; x=at', []],
  ['empty pairs are nothing', ';;; ;at=v;;', ['v']],
  ['chunks are not put together', 'at.0=a; at.1=b; at=__chunked__999999', ['__chunked__999999']],
]

for (const [sentence, header, want] of read) {
  test(sentence, () => assert.deepEqual(readCookies(header, ['rt', 'at'])[1], want))
}

test('names of the prototype are names like any other', () => {
  const header = '__proto__=1; constructor=2; hasOwnProperty=3; at=v'
  assert.deepEqual(readCookies(header, ['at', 'toString', 'constructor']), [['v'], [], ['2']])
  assert.equal(Reflect.get({}, '1'), undefined)
})

test('a header of 180 cookies is read in linear time', () => {
  const pairs = (count: number) =>
    `${Array.from({ length: count }, (_, i) => `c${i}=${'; '.repeat(9)}`).join('; ')}; at=v`
  const before = process.threadCpuUsage()
  assert.deepEqual(readCookies(pairs(20_000), ['at'])[0], ['v'])
  const { user, system } = process.threadCpuUsage(before)
  // Microseconds of this thread's own: what else runs on the machine is not counted.
  assert.ok(user + system < 500_000, `${user + system}`)
})
