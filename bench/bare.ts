// The yardstick: a bare node:http handler that answers the bytes of a "who am I", and does nothing else.
import { createServer } from 'node:http'

const body = process.argv[2] ?? '{}'
const server = createServer((_request, response) => {
  response
    .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(
    `rusk listening on http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}\n`,
  )
})
process.once('SIGTERM', () => server.close())
