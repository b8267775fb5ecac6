/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The atomics of port.h, which both ports share: the compiler's. Contracts are in port.h. */
#ifndef PORT_ATOMIC_H
#define PORT_ATOMIC_H

static inline pte_t port_pte_read(const pte_t *p)
{
	return (pte_t){__atomic_load_n(&p->v, __ATOMIC_ACQUIRE)};
}

static inline void port_pte_set(pte_t *p, pte_t e)
{
	__atomic_store_n(&p->v, e.v, __ATOMIC_RELEASE);
}

static inline pte_t port_pte_xchg(pte_t *p, pte_t e)
{
	return (pte_t){__atomic_exchange_n(&p->v, e.v, __ATOMIC_SEQ_CST)};
}

static inline bool port_pte_cmpxchg(pte_t *p, pte_t *expected, pte_t desired)
{
	uint64_t old = expected->v; /* a copy, so that *expected may be a register */
	bool same = __atomic_compare_exchange_n(&p->v, &old, desired.v, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST);

	expected->v = old;
	return same;
}

static inline uint32_t port_cmpxchg32(uint32_t *p, uint32_t old, uint32_t new)
{
	__atomic_compare_exchange_n(p, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return old;
}

static inline uint32_t port_xadd32(uint32_t *p, uint32_t add)
{
	return __atomic_fetch_add(p, add, __ATOMIC_SEQ_CST);
}

static inline int64_t port_xadd64(int64_t *p, int64_t add)
{
	return __atomic_fetch_add(p, add, __ATOMIC_SEQ_CST);
}

static inline void port_set_bits64(uint64_t *p, uint64_t bits)
{
	__atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
}

static inline void port_clear_bits64(uint64_t *p, uint64_t bits)
{
	__atomic_fetch_and(p, ~bits, __ATOMIC_SEQ_CST);
}

static inline uint32_t port_xchg32(uint32_t *p, uint32_t v)
{
	return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

static inline void *port_xchg_ptr(void **p, void *v)
{
	return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

static inline void port_store_release32(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline uint32_t port_load_acquire32(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

#endif
