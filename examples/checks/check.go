// Go, its standard library alone: who calls, told from Rusk's access token by the published keys. Good until the
// token expires: of sign-outs GET /auth/revocations tells, or POST /auth/introspect when asked.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var (
	issuer  = os.Getenv("RUSK_URL")
	base64s = base64.RawURLEncoding.Strict()
	refused = errors.New("no access token of this issuer, or one that has expired")
	skew    = int64(60)    // seconds that Rusk's clock may be ahead of this one
	longest = int64(86400) // seconds that a token may live
	keys    = keySet{}
	// For all of an answer. Where keys come from is configured: nobody is sent elsewhere.
	client = http.Client{Timeout: 2 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
)

// Keys are had again after the first, used for the second while Rusk is away; the third is between two questions.
const freshFor, usedFor, pause = 5 * time.Minute, time.Hour, time.Second

// A key knows its algorithm. Where Rusk has JWT_SECRET_KEY there is one key, of no name and "HS256", which verifies
// by hmac.New(sha256.New, …) and hmac.Equal.
type key struct {
	algorithm string
	verify    func(signed, signature []byte) bool
}

type claims struct {
	Iss, Sub, Sid, Jti string
	Iat, Exp           int64
	Aud                any
}

func check(token string) (*claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > 8192 {
		return nil, refused
	}
	var decoded [3][]byte
	for i, part := range parts {
		text, err := base64s.DecodeString(part)
		if err != nil {
			return nil, refused
		}
		decoded[i] = text
	}
	var header struct{ Alg, Typ, Kid string }
	strict := json.NewDecoder(bytes.NewReader(decoded[0]))
	strict.DisallowUnknownFields() // no crit, jku, jwk
	if strict.Decode(&header) != nil || header.Typ != "at+jwt" {
		return nil, refused
	}
	by, err := keys.find(header.Kid)
	if err != nil {
		return nil, err
	}
	if by == nil || by.algorithm != header.Alg || !by.verify([]byte(parts[0]+"."+parts[1]), decoded[2]) {
		return nil, refused
	}
	said, now := claims{}, time.Now().Unix()
	if json.Unmarshal(decoded[1], &said) != nil || said.Iss != issuer ||
		said.Sub == "" || said.Sid == "" || said.Jti == "" {
		return nil, refused
	}
	// Where Rusk has an audience, it must be that one.
	if said.Exp <= now || said.Iat == 0 || said.Iat > now+skew || said.Exp-said.Iat > longest || said.Aud != nil {
		return nil, refused
	}
	return &said, nil
}

// What the last question for the published keys has left known.
type learned struct {
	keys          map[string]*key
	had, answered time.Time // when the keys were asked for; when the question was over, if only by a failure
	trouble       error
}

func (known learned) isDue(kid string) bool {
	isFresh := known.keys[kid] != nil && time.Since(known.had) < freshFor
	return !isFresh && time.Since(known.answered) >= pause
}

type keySet struct {
	asking sync.Mutex   // whoever holds it asks
	last   atomic.Value // what is learned
}

func (set *keySet) known() learned {
	known, _ := set.last.Load().(learned)
	return known
}

// One question at a time. Who comes meanwhile waits for that one, and while Rusk is away for none: otherwise whoever
// makes names up would hold up everybody.
func (set *keySet) find(kid string) (*key, error) {
	if known := set.known(); known.isDue(kid) {
		if known.trouble == nil {
			set.asking.Lock()
			set.renew(kid)
		} else if set.asking.TryLock() {
			set.renew(kid)
		}
	}
	known := set.known()
	if time.Since(known.had) >= usedFor {
		return nil, fmt.Errorf("Rusk's keys cannot be had: %w", known.trouble)
	}
	if found := known.keys[kid]; found != nil {
		return found, nil
	}
	return nil, known.trouble
}

// renew asks, unless somebody has just had an answer, and lets the next one ask.
func (set *keySet) renew(kid string) {
	defer set.asking.Unlock()
	known := set.known()
	if !known.isDue(kid) {
		return
	}
	asked := time.Now()
	published, err := readKeys()
	if known.trouble = err; err == nil {
		known.keys, known.had = published, asked
	}
	known.answered = time.Now()
	set.last.Store(known)
}

func readKeys() (map[string]*key, error) {
	// Some caches on the way keep answers whatever they are told: no two questions are alike.
	answer, err := client.Get(fmt.Sprintf("%s/.well-known/jwks.json?once=%d", issuer, time.Now().UnixNano()))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var set struct {
		Keys []struct{ Kid, Kty, Crv, X, Y string }
	}
	limited := io.LimitReader(answer.Body, 1<<20)
	if err := json.NewDecoder(limited).Decode(&set); err != nil || answer.StatusCode != 200 {
		return nil, fmt.Errorf("%s is not Rusk: %v %v", issuer, answer.Status, err)
	}
	found := map[string]*key{}
	for _, one := range set.Keys {
		x, errX := base64s.DecodeString(one.X)
		y, errY := base64s.DecodeString(one.Y)
		if errX != nil || errY != nil {
			continue
		}
		switch one.Kty + " " + one.Crv {
		case "EC P-256":
			public := ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(x), Y: new(big.Int).SetBytes(y)}
			found[one.Kid] = &key{"ES256", func(signed, signature []byte) bool {
				hash := sha256.Sum256(signed)
				return len(signature) == 64 && ecdsa.Verify(&public, hash[:],
					new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
			}}
		case "OKP Ed25519":
			found[one.Kid] = &key{"EdDSA", func(signed, signature []byte) bool {
				return len(x) == ed25519.PublicKeySize && ed25519.Verify(x, signed, signature)
			}}
		}
	}
	return found, nil
}

// signedIn lets through whoever is signed in, and tells who it is.
func signedIn(next func(http.ResponseWriter, *http.Request, *claims)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			token = ""
		}
		said, err := check(token)
		switch {
		case err == nil:
			next(w, r, said)
		case errors.Is(err, refused):
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "Sign in first", http.StatusUnauthorized)
		default:
			log.Print(err)
			http.Error(w, "Who calls cannot be told now", http.StatusServiceUnavailable)
		}
	}
}

func main() {
	http.HandleFunc("/notes", signedIn(func(w http.ResponseWriter, r *http.Request, caller *claims) {
		json.NewEncoder(w).Encode(map[string][]string{"notes": {"Hello " + caller.Sub}})
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
