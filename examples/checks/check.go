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
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

var (
	issuer  = os.Getenv("RUSK_URL")
	base64s = base64.RawURLEncoding.Strict()
	asking  = http.Client{Timeout: 2 * time.Second}
	refused = errors.New("no access token of this issuer, or one that has expired")
	skew    = int64(60) // seconds that Rusk's clock may be ahead of this one
	keys    = keySet{}
)

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
	if json.Unmarshal(decoded[1], &said) != nil || said.Iss != issuer || said.Sub == "" || said.Sid == "" {
		return nil, refused
	}
	// Where Rusk has an audience, it must be that one.
	if said.Exp <= now || said.Iat == 0 || said.Iat > now+skew || said.Aud != nil {
		return nil, refused
	}
	return &said, nil
}

// The published keys by name: had again after five minutes, and for an unknown name at most once a second.
type keySet struct {
	turn                  sync.Mutex
	known                 map[string]*key
	again, againIfUnknown time.Time
	trouble               error // of the last question
}

func (set *keySet) find(kid string) (*key, error) {
	set.turn.Lock()
	defer set.turn.Unlock()
	now := time.Now()
	if found := set.known[kid]; found != nil && now.Before(set.again) {
		return found, nil
	}
	if set.known[kid] == nil && now.Before(set.againIfUnknown) {
		return nil, set.trouble
	}
	set.again, set.againIfUnknown = now.Add(5*time.Minute), now.Add(time.Second)
	published, err := readKeys()
	if set.trouble = err; err == nil {
		set.known = published
	}
	if found := set.known[kid]; found != nil {
		return found, nil
	}
	return nil, set.trouble
}

func readKeys() (map[string]*key, error) {
	answer, err := asking.Get(issuer + "/.well-known/jwks.json")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var set struct {
		Keys []struct{ Kid, Kty, Crv, X, Y string }
	}
	if err := json.NewDecoder(answer.Body).Decode(&set); err != nil || answer.StatusCode != 200 {
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
