// @loyalty/client 0.1.0
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** Activity */
        Activity: {
            /** @description Newest first */
            activity: components["schemas"]["Transaction"][];
            /** @description `cursor` of the older ones; null at the end */
            next: string | null;
        };
        /** Birthday */
        Birthday: {
            /** @description Day of the month; the 29th of February is one */
            day: number;
            /** @description 1 is January */
            month: number;
        };
        /** BirthdayRequest */
        BirthdayRequest: {
            /** @description Day of the month; the 29th of February is one */
            day: number;
            /** @description 1 is January */
            month: number;
        };
        /** CanRedeem */
        CanRedeem: {
            /** @description How many more points it takes, with `insufficient_points` */
            missingPoints?: number;
            /** @description Name of the tier it takes, with `tier_required` */
            requiredTier?: string;
            /**
             * @description `ready`: it can be redeemed. Any other word says why it cannot
             * @enum {unknown}
             */
            state: "insufficient_points" | "limit_reached" | "not_enrolled" | "ready" | "tier_required" | "unavailable";
        };
        /**
         * CartCouponRequest
         * @description Which cart a coupon goes into.
         */
        CartCouponRequest: {
            /** @description The cart's id as Shopify gave it to your storefront, with its `?key=`, which is a secret: send it here alone */
            cartId: string;
        };
        /**
         * CartFit
         * @description Whether a reward's coupon would count in a cart as it is, as far as the reward's terms are known.
         */
        CartFit: {
            /** @description Whether it would */
            fits: boolean;
            /** @description How much more the cart has to come to, with `minimum_spend` and where that is known */
            missing?: components["schemas"]["Money"];
            /**
             * @description Why not: `minimum_spend`, or `other`, such as an empty cart
             * @enum {unknown}
             */
            reason?: "minimum_spend" | "other";
        };
        /**
         * CartReading
         * @description Whether the cart that was asked about could be read.
         */
        CartReading: {
            /**
             * @description `read`: rewards tell whether they fit, where that is known. `not_found`: this shop has no such cart. `unreadable`: it could not be asked; the rewards say nothing of it
             * @enum {unknown}
             */
            state: "not_found" | "read" | "unreadable";
        };
        /**
         * CartResult
         * @description What became of putting a coupon into a cart. However it ended, the code is as good as before.
         */
        CartResult: {
            /** @description Codes that counted in the cart before and do not beside this one; they are in its list still */
            displaced?: string[];
            /** @description How much more the cart has to come to, with `minimum_spend` and where that is known */
            missing?: components["schemas"]["Money"];
            /**
             * @description Why not, with `not_applied`. `minimum_spend`: the cart comes to too little. `not_combinable`: not together with another code that is in it. `expired`: the shop does not take it any more. `wrong_customer`: the cart, or the coupon, is another customer's. `cart_not_found`: this shop has no such cart. `other`: the shop does not say why, or could not be asked
             * @enum {unknown}
             */
            reason?: "cart_not_found" | "expired" | "minimum_spend" | "not_combinable" | "other" | "wrong_customer";
            /**
             * @description `applied`: it counts in the cart now. `already_applied`: it did before. `not_applied`: it does not
             * @enum {unknown}
             */
            result: "already_applied" | "applied" | "not_applied";
        };
        /** Completion */
        Completion: {
            /** @description The member as they are now */
            member: components["schemas"]["Member"];
            /** @description What it paid */
            result: components["schemas"]["Result"];
        };
        /**
         * Coupon
         * @description A code that makes an order cheaper.
         */
        Coupon: {
            /** @description Puts the code into the cart: send the shopper there */
            applyUrl: string;
            /** @description What the shopper enters at the checkout */
            code: string;
            /** @description What it is worth, in words */
            description?: string;
            /**
             * Format: date-time
             * @description When it ends, where the program tells
             */
            expiresAt?: string;
            /** @description What an order has to come to, where the program tells */
            minimumSpend?: components["schemas"]["Money"];
            /** @description `id` of the reward it came of */
            rewardId?: string;
            /** @description Whether it was used, where the program tells */
            used?: boolean;
            /** @description What it is worth, where the program tells */
            value?: components["schemas"]["Value"];
        };
        /**
         * CouponsPart
         * @description The coupons, or why they are missing.
         */
        CouponsPart: {
            /** @description With coupons: false when the history was too long to look for older ones, which may still be good */
            complete?: boolean;
            /** @description What was asked for */
            data?: components["schemas"]["Coupon"][];
            /** @description Why it is missing */
            error?: components["schemas"]["ProblemDetails"];
        };
        /**
         * EarningRule
         * @description A way to earn points.
         */
        EarningRule: {
            /** @description Whether this member has done it; told to members only, and where the program tells */
            completed?: boolean;
            /** @description What the shopper gets for it, where the program tells */
            gives?: components["schemas"]["Gives"];
            /** @description Names it when it is completed */
            id: string;
            /** @description What the shopper does, such as `order` or `social_follow`; other words may come */
            kind: string;
            /** @description What to call it */
            name: string;
            /** @description How many points, where it is so many at once */
            points?: number;
            /** @description Where to do it, such as a profile to follow */
            url?: string;
        };
        /** EarningRules */
        EarningRules: {
            /** @description The ways to earn points */
            earningRules: components["schemas"]["EarningRule"][];
        };
        /**
         * EarningRulesPart
         * @description The ways to earn, or why they are missing.
         */
        EarningRulesPart: {
            /** @description What was asked for */
            data?: components["schemas"]["EarningRule"][];
            /** @description Why it is missing */
            error?: components["schemas"]["ProblemDetails"];
        };
        /**
         * Empty
         * @description An empty object: that it was done says all. Scripts read every answer as JSON.
         */
        Empty: Record<string, never>;
        /**
         * EnrolmentRequest
         * @description What stood beside the button when the shopper clicked it.
         */
        EnrolmentRequest: {
            /** @description `digest` of the policies that were shown, unchanged */
            policiesDigest: string;
            /** @description `version` of the policies that were shown, unchanged */
            policiesVersion: string | number;
        };
        /** Faq */
        Faq: {
            /** @description HTML, sanitised */
            answerHtml: string;
            /** @description Plain text */
            question: string;
        };
        /** Faqs */
        Faqs: {
            /** @description In the program's order */
            faqs: components["schemas"]["Faq"][];
        };
        /**
         * Gives
         * @description What a way to earn gives.
         */
        Gives: {
            /**
             * @description `points`: so many at once. `points_per_spend`: so many for every `spend`. The others say themselves
             * @enum {unknown}
             */
            kind: "coupon" | "points" | "points_per_spend" | "store_credit";
            /** @description One order gives no more, with `points_per_spend`; absent where the program tells of no cap */
            maximumPointsPerOrder?: number;
            /** @description How many, with the first two, where the program tells */
            points?: number;
            /** @description For an image with the review */
            pointsForImage?: number;
            /** @description For a video with the review */
            pointsForVideo?: number;
            /** @description For how much money `points` are, with `points_per_spend` */
            spend?: components["schemas"]["Money"];
            /** @description How much, with `store_credit`, where the program tells */
            storeCredit?: components["schemas"]["Money"];
            /** @description What the coupon is worth, with `coupon`, where the program tells */
            value?: components["schemas"]["Value"];
        };
        /**
         * HandIn
         * @description Exactly one of the three: a token that the storefront holds, or a ticket that its server got for one.
         */
        HandIn: {
            /** @description Of the Customer Account API */
            customerAccessToken?: string;
            /** @description Of the Storefront API, the legacy kind */
            storefrontCustomerAccessToken?: string;
            /** @description Of `POST /session-tickets`; it works once */
            ticket?: string;
        };
        /**
         * LegalPolicies
         * @description What a shopper agrees to by joining.
         */
        LegalPolicies: {
            /** @description What the button has to say, exactly */
            buttonText: string;
            /** @description Send it back as `policiesDigest`, unchanged */
            digest: string;
            /** @description Address of the privacy policy */
            privacyPolicyUrl?: string;
            /** @description What has to stand beside the button: HTML, sanitised */
            sentenceHtml: string;
            /** @description Address of the terms */
            termsAndConditionsUrl?: string;
            /** @description Send it back as `policiesVersion`, unchanged */
            version: string | number;
        };
        /** LinkAddress */
        LinkAddress: {
            /** @description Send the browser there, and tell nobody else */
            linkUrl: string;
        };
        /**
         * LinkRequest
         * @description With neither `retailerId` nor `connectionId` the shopper chooses at Subtotal.
         */
        LinkRequest: {
            /** @description `id` of an account to sign in to again; it goes before `retailerId` */
            connectionId?: string;
            /** @description `id` of one of `available`, to link it */
            retailerId?: string;
            /** @description Where the shopper comes back to: a path here or an address of an allowed storefront; any other leads to the overview */
            returnTo?: string;
        };
        /** LinkedAccount */
        LinkedAccount: {
            /** @description Names the account when it is unlinked or signed in to again */
            id: string;
            /** @description Where it is */
            retailer: components["schemas"]["Retailer"];
            /**
             * @description `active`: purchases are collected. `initialized`: signing in there was not finished. `unauthenticated`: the shopper has to sign in there again. `disconnected`: it was unlinked
             * @enum {unknown}
             */
            state: "active" | "disconnected" | "initialized" | "unauthenticated";
        };
        /**
         * Member
         * @description A shopper, as the program knows them.
         */
        Member: {
            /** @description Once it was told */
            birthday?: components["schemas"]["Birthday"];
            /**
             * Format: date-time
             * @description When they joined, where the program tells
             */
            enrolledAt?: string;
            /** @description A name to greet with */
            name?: string;
            /** @description What the member has */
            points: components["schemas"]["Points"];
            /** @description The member's own link for friends */
            referralUrl?: string;
            /**
             * @description `pending`: has not joined yet. `enrolled`: a member. `blocked`: shut out by the merchant
             * @enum {unknown}
             */
            state: "blocked" | "enrolled" | "pending";
            /** @description Name of the member's tier */
            tier?: string;
            /**
             * Format: date-time
             * @description Since when it is theirs, where the program tells
             */
            tierEnteredAt?: string;
            /**
             * Format: date-time
             * @description Until when it is theirs, where the program tells
             */
            tierExpiresAt?: string;
        };
        /**
         * MemberAndParts
         * @description The member, with the parts that `include` asked for, each under its name there; each part fails alone.
         */
        MemberAndParts: {
            /** @description Once it was told */
            birthday?: components["schemas"]["Birthday"];
            /** @description With `include=coupons` */
            coupons?: components["schemas"]["CouponsPart"];
            /** @description With `include=earningRules` */
            earningRules?: components["schemas"]["EarningRulesPart"];
            /**
             * Format: date-time
             * @description When they joined, where the program tells
             */
            enrolledAt?: string;
            /** @description A name to greet with */
            name?: string;
            /** @description What the member has */
            points: components["schemas"]["Points"];
            /** @description The member's own link for friends */
            referralUrl?: string;
            /** @description With `include=rewards` */
            rewards?: components["schemas"]["RewardsPart"];
            /**
             * @description `pending`: has not joined yet. `enrolled`: a member. `blocked`: shut out by the merchant
             * @enum {unknown}
             */
            state: "blocked" | "enrolled" | "pending";
            /** @description Name of the member's tier */
            tier?: string;
            /**
             * Format: date-time
             * @description Since when it is theirs, where the program tells
             */
            tierEnteredAt?: string;
            /**
             * Format: date-time
             * @description Until when it is theirs, where the program tells
             */
            tierExpiresAt?: string;
            /** @description With `include=tierProgress` */
            tierProgress?: components["schemas"]["TierProgressPart"];
        };
        /**
         * Money
         * @description An amount in a currency.
         */
        Money: {
            /** @description A decimal with the currency's minor digits, such as `30.00` */
            amount: string;
            /** @description ISO 4217, such as `USD` */
            currencyCode: string;
        };
        /** NextTier */
        NextTier: {
            /** @description As in the list of tiers */
            id: string;
            /** @description What is still to be spent, where the program tells */
            missingSpend?: components["schemas"]["Money"];
            /** @description What to call it */
            name: string;
            /** @description What a member spends to get there, where the program tells */
            spend?: components["schemas"]["Money"];
        };
        /**
         * NoFields
         * @description An empty object.
         */
        NoFields: Record<string, never>;
        /**
         * Perk
         * @description Something that comes with a tier.
         */
        Perk: {
            /** @description More about it */
            description?: string;
            /** @description What to call it */
            name: string;
        };
        /** Points */
        Points: {
            /** @description What can be spent */
            balance: number;
            /**
             * Format: date-time
             * @description When they end, where the program tells
             */
            expiresAt?: string;
            /** @description What is on its way, where the program tells */
            pending?: number;
        };
        /**
         * PolicyProblem
         * @description Why a shopper could not join, with the policies to agree to instead.
         */
        PolicyProblem: {
            /**
             * @description What to decide by
             * @enum {unknown}
             */
            code: "csrf_refused" | "currency_mismatch" | "feature_unavailable" | "idempotency_key_missing" | "idempotency_key_reused" | "insufficient_points" | "internal_error" | "invalid_birthday" | "invalid_email" | "invalid_request" | "member_blocked" | "not_enrolled" | "not_found" | "overloaded" | "policies_outdated" | "program_not_launched" | "rate_limited" | "referral_rejected" | "request_in_progress" | "reward_ineligible" | "reward_unavailable" | "rule_already_completed" | "session_expired" | "session_required" | "store_unavailable" | "token_rejected" | "upstream_timeout" | "upstream_unavailable";
            /** @description A sentence about it; with 409 and 422 fit to be shown to the shopper */
            detail: string;
            /** @description Those in force now, with `policies_outdated` */
            legalPolicies?: components["schemas"]["LegalPolicies"];
            /** @description `X-Request-Id` of this answer; quote it when you ask about it */
            requestId: string;
            /** @description Whether the same request may succeed later */
            retryable: boolean;
            /** @description The same as the HTTP status */
            status: number;
            /** @description The `code` in words */
            title: string;
            /** @description The `code` as a URI */
            type: string;
        };
        /**
         * ProblemDetails
         * @description Why a request was refused (RFC 9457).
         */
        ProblemDetails: {
            /**
             * @description What to decide by
             * @enum {unknown}
             */
            code: "csrf_refused" | "currency_mismatch" | "feature_unavailable" | "idempotency_key_missing" | "idempotency_key_reused" | "insufficient_points" | "internal_error" | "invalid_birthday" | "invalid_email" | "invalid_request" | "member_blocked" | "not_enrolled" | "not_found" | "overloaded" | "policies_outdated" | "program_not_launched" | "rate_limited" | "referral_rejected" | "request_in_progress" | "reward_ineligible" | "reward_unavailable" | "rule_already_completed" | "session_expired" | "session_required" | "store_unavailable" | "token_rejected" | "upstream_timeout" | "upstream_unavailable";
            /** @description A sentence about it; with 409 and 422 fit to be shown to the shopper */
            detail: string;
            /** @description `X-Request-Id` of this answer; quote it when you ask about it */
            requestId: string;
            /** @description Whether the same request may succeed later */
            retryable: boolean;
            /** @description The same as the HTTP status */
            status: number;
            /** @description The `code` in words */
            title: string;
            /** @description The `code` as a URI */
            type: string;
        };
        /** Program */
        Program: {
            /** @description The ways to earn points */
            earningRules: components["schemas"]["EarningRule"][];
            /** @description What points can buy */
            rewards: components["schemas"]["Reward"][];
            /** @description Lowest first */
            tiers: components["schemas"]["Tier"][];
        };
        /** RedeemedReward */
        RedeemedReward: {
            /** @description As in the list of rewards */
            id: string;
            /** @description What it was called then */
            name: string;
        };
        /**
         * Redemption
         * @description A reward that was asked for under one key, and what came of it.
         */
        Redemption: {
            /** @description With `cartId` and a code: what became of putting that into the cart, just now */
            cart?: components["schemas"]["CartResult"];
            /** @description What was given, unless it was store credit */
            coupon?: components["schemas"]["Coupon"];
            /** @description The `Idempotency-Key` it was redeemed under */
            key: string;
            /** @description What it costs */
            points: number;
            /** @description The `code` of the problem, when it failed */
            reason?: string;
            /** @description What was redeemed */
            reward: components["schemas"]["RedeemedReward"];
            /**
             * @description `working`: on its way. `unknown`: it may have worked, so it must not be redeemed again; quote the reference. The other two are final
             * @enum {unknown}
             */
            state: "failed" | "succeeded" | "unknown" | "working";
            /** @description How much of it, where the program told */
            storeCredit?: components["schemas"]["Money"];
            /** @description What the shopper quotes when they write to the shop */
            supportReference?: string;
        };
        /** RedemptionRequest */
        RedemptionRequest: {
            /** @description The shopper's cart, with its `?key=`: the code goes into it once there is one. It is no part of what the key stands for */
            cartId?: string;
            /** @description `id` of the reward */
            rewardId: string;
        };
        /** Referral */
        Referral: {
            /**
             * Format: date-time
             * @description When the friend was invited
             */
            createdAt?: string;
            /** @description The program's word for how far it is, such as `pending`; other words may come */
            status?: string;
        };
        /** ReferralRequest */
        ReferralRequest: {
            /**
             * Format: email
             * @description The friend's address
             */
            email: string;
        };
        /** Referrals */
        Referrals: {
            /** @description How many there are, on all pages */
            count?: number;
            /** @description `cursor` of the older ones; null at the end */
            next: string | null;
            /** @description Newest first */
            referrals: components["schemas"]["Referral"][];
            /** @description The member's own link for friends */
            url?: string;
        };
        /**
         * Result
         * @description What a completed way to earn paid: points, a coupon, or store credit. How much, or which coupon, is absent where
         *     the program did not say; the member's activity has it.
         */
        Result: {
            /** @description Which one, where the program told */
            coupon?: components["schemas"]["Coupon"];
            /**
             * @description What was paid
             * @enum {unknown}
             */
            kind: "coupon" | "points" | "store_credit";
            /** @description How many, where the program told */
            points?: number;
            /** @description How much of it, where the program told */
            storeCredit?: components["schemas"]["Money"];
        };
        /** RetailAward */
        RetailAward: {
            /**
             * Format: date-time
             * @description When this service heard of it
             */
            createdAt: string;
            /**
             * @description What is rewarded
             * @enum {unknown}
             */
            event: "account.linked" | "purchase.created";
            /** @description The same in words */
            name: string;
            /** @description How many, once somebody has told */
            points?: number;
            /** @description Where it happened */
            retailer: components["schemas"]["Retailer"];
            /** @description What was spent */
            spend?: components["schemas"]["Money"];
            /**
             * @description `working`: the points are on their way. `given`: they are there
             * @enum {unknown}
             */
            state: "given" | "working";
        };
        /** Retailer */
        Retailer: {
            /** @description Names it when it is linked */
            id: string;
            /** @description What to call it */
            name: string;
        };
        /** Retailers */
        Retailers: {
            /** @description Those that can be linked and earn something; absent when the shopper may choose any */
            available?: components["schemas"]["Retailer"][];
            /** @description The latest, newest first */
            awards: components["schemas"]["RetailAward"][];
            /** @description The member's accounts */
            retailers: components["schemas"]["LinkedAccount"][];
        };
        /**
         * Reward
         * @description Something that points can buy.
         */
        Reward: {
            /** @description Whether this member can redeem it now; told to members only */
            canRedeem?: components["schemas"]["CanRedeem"];
            /** @description More about it */
            description?: string;
            /** @description Days that the coupon will be good for */
            expiresAfterDays?: number;
            /** @description Whether its coupon would count in the cart that was asked about, where that is known */
            fitsCart?: components["schemas"]["CartFit"];
            /** @description Names it when it is redeemed */
            id: string;
            /** @description Address of a picture of it */
            imageUrl?: string;
            /** @description The program's word for what it gives, such as `fixed-value`; other words may come */
            kind: string;
            /** @description What an order has to come to */
            minimumSpend?: components["schemas"]["Money"];
            /** @description What to call it */
            name: string;
            /** @description What it costs, where the program tells */
            points?: number;
            /** @description What it is worth, where the program tells */
            value?: components["schemas"]["Value"];
        };
        /** Rewards */
        Rewards: {
            /** @description With `cartId`: whether that cart could be read */
            cart?: components["schemas"]["CartReading"];
            /** @description What points can buy */
            rewards: components["schemas"]["Reward"][];
        };
        /**
         * RewardsPart
         * @description The rewards, or why they are missing.
         */
        RewardsPart: {
            /** @description What was asked for */
            data?: components["schemas"]["Reward"][];
            /** @description Why it is missing */
            error?: components["schemas"]["ProblemDetails"];
        };
        /**
         * SessionHandle
         * @description What your server acts for one customer with, together with its bearer token.
         */
        SessionHandle: {
            /**
             * Format: date-time
             * @description When it ends, however much it is used
             */
            expiresAt: string;
            /** @description For the header `X-Loyalty-Session`; a secret of your server's */
            handle: string;
            /**
             * @description `pending`: has not joined yet. `enrolled`: a member. `blocked`: shut out
             * @enum {unknown}
             */
            state: "blocked" | "enrolled" | "pending";
        };
        /** SessionState */
        SessionState: {
            /**
             * Format: date-time
             * @description When the session ends at the latest, unless it is used until then or a token or ticket is handed in anew. Absent when nobody is signed in
             */
            expiresAt?: string;
            /**
             * @description `anonymous`: nobody is signed in. `pending`: signed in, but has not joined. `enrolled`: a member. `blocked`: shut out by the merchant
             * @enum {unknown}
             */
            state: "anonymous" | "blocked" | "enrolled" | "pending";
        };
        /**
         * SessionTicket
         * @description Give it to the shopper's browser within `expiresIn` seconds; it works once.
         */
        SessionTicket: {
            /** @description Seconds that it is good for */
            expiresIn: number;
            /** @description For `POST /session` or `/session/continue?ticket=…`; it works once */
            ticket: string;
        };
        /**
         * TicketRequest
         * @description Exactly one of the two tokens, and perhaps for whom the ticket is.
         */
        TicketRequest: {
            /** @description Of the Customer Account API */
            customerAccessToken?: string;
            /** @description The storefront whose page will bring the ticket, one of `STOREFRONT_ORIGINS`: then nothing but a script of that origin can use it, by `POST /session` */
            origin?: string;
            /** @description Of the Storefront API, the legacy kind */
            storefrontCustomerAccessToken?: string;
        };
        /**
         * Tier
         * @description A rank among members, reached by spending.
         */
        Tier: {
            /** @description The program's own, in hexadecimal digits */
            colour?: string;
            /** @description Address of its icon */
            iconUrl?: string;
            /** @description Names it; its name where the program has nothing else */
            id: string;
            /** @description Points are times as many, where the program tells */
            multiplier?: number;
            /** @description What to call it */
            name: string;
            /** @description What comes with it */
            perks: components["schemas"]["Perk"][];
            /** @description What a member spends to get there, where the program tells */
            spend?: components["schemas"]["Money"];
        };
        /**
         * TierProgress
         * @description How far the member has come, and how far it is to the next tier.
         */
        TierProgress: {
            /** @description Absent at the top, and where the tiers do not tell it */
            nextTier?: components["schemas"]["NextTier"];
            /** @description What counts in the current period */
            spend?: components["schemas"]["Money"];
            /** @description Name of the member's tier */
            tier?: string;
        };
        /**
         * TierProgressPart
         * @description The way to the next tier, or why it is missing.
         */
        TierProgressPart: {
            /** @description What was asked for */
            data?: components["schemas"]["TierProgress"];
            /** @description Why it is missing */
            error?: components["schemas"]["ProblemDetails"];
        };
        /** Tiers */
        Tiers: {
            /** @description Lowest first */
            tiers: components["schemas"]["Tier"][];
        };
        /** Transaction */
        Transaction: {
            /** @description The one that came of it */
            coupon?: components["schemas"]["Coupon"];
            /**
             * Format: date-time
             * @description When it happened
             */
            createdAt?: string;
            /** @description What happened, in words */
            description: string;
            /** @description Names this line */
            id: string;
            /** @description The program's word for what happened, such as `earning`; other words may come */
            kind: string;
            /** @description What the balance gained or, below zero, lost */
            points?: number;
            /** @description The program's word for how far it is, such as `complete`; other words may come */
            status?: string;
            /** @description How much of it came of it */
            storeCredit?: components["schemas"]["Money"];
        };
        /**
         * Value
         * @description What it is worth at the checkout.
         */
        Value: {
            /** @description How much, with `amount` and `store_credit` */
            amount?: components["schemas"]["Money"];
            /** @description `amount`: money off. `percentage`: a part of the price off. `shipping`: free shipping. `product`: a free product. `store_credit`: money for later. `variable`: the more points, the more. Other words may come */
            kind: string;
            /** @description How many per cent, with `percentage`: 10 is a tenth */
            percentage?: number;
            /** @description Name of the product, with `product`, where the program tells */
            product?: string;
        };
        /** Wallet */
        Wallet: {
            /** @description With coupons: false when the history was too long to look for older ones, which may still be good */
            complete: boolean;
            /** @description Newest first; those that have expired are left out */
            coupons: components["schemas"]["Coupon"][];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
type Schemas = components["schemas"];
export type Activity = Schemas["Activity"];
export type CartResult = Schemas["CartResult"];
export type Completion = Schemas["Completion"];
export type Coupon = Schemas["Coupon"];
export type HandIn = Schemas["HandIn"];
export type LegalPolicies = Schemas["LegalPolicies"];
export type Member = Schemas["Member"];
export type MemberAndParts = Schemas["MemberAndParts"];
export type Money = Schemas["Money"];
export type Problem = Schemas["ProblemDetails"];
export type Program = Schemas["Program"];
export type Redemption = Schemas["Redemption"];
export type Referrals = Schemas["Referrals"];
export type Retailers = Schemas["Retailers"];
export type Reward = Schemas["Reward"];
export type Rewards = Schemas["Rewards"];
export type SessionHandle = Schemas["SessionHandle"];
export type SessionState = Schemas["SessionState"];
export type Tier = Schemas["Tier"];
export type TierProgress = Schemas["TierProgress"];
export type Wallet = Schemas["Wallet"];
/** What `me` can bring besides the member. */
export type Include = "rewards" | "earningRules" | "tierProgress" | "coupons";
/** A Customer Account API token as text, or what the API takes: best `{ ticket }`. */
export type Token = string | HandIn;
/** What happened, and what is told of it: no name, no address, no code and no token. */
export interface Events {
    signed_in: {
        state: SessionState["state"];
    };
    signed_out: Record<string, never>;
    joined: {
        state: Member["state"];
    };
    redeemed: {
        rewardId: string;
        points: number;
    };
    coupon_applied: {
        result: CartResult["result"];
    };
    earned: {
        id: string;
        kind: Completion["result"]["kind"];
        points?: number;
    };
    referred: Record<string, never>;
}
export type EventName = keyof Events;
export {};
/** The API's closed list, and `unreachable`: no answer came, or none of this service. */
export type Code = Problem["code"] | "unreachable";
/** Why a call came to nothing. */
export declare class LoyaltyError extends Error {
    /** What to decide by. */
    readonly code: Code;
    /** The HTTP status; 0 when no answer came. With 409 and 422 the `message` may be shown to the shopper. */
    readonly status: number;
    /** Whether the same call may succeed later. */
    readonly retryable: boolean;
    /** How many seconds to wait before that, where the service says. */
    readonly retryAfter?: number | undefined;
    /** The service's answer in full (RFC 9457). With `policies_outdated` it has the words as they are now. */
    readonly problem?: (Problem & {
        legalPolicies?: LegalPolicies;
    }) | undefined;
    readonly name = "LoyaltyError";
    constructor(
    /** What to decide by. */
    code: Code, 
    /** The HTTP status; 0 when no answer came. With 409 and 422 the `message` may be shown to the shopper. */
    status: number, 
    /** Whether the same call may succeed later. */
    retryable: boolean, 
    /** How many seconds to wait before that, where the service says. */
    retryAfter?: number | undefined, 
    /** The service's answer in full (RFC 9457). With `policies_outdated` it has the words as they are now. */
    problem?: (Problem & {
        legalPolicies?: LegalPolicies;
    }) | undefined);
    /** Whether it is the last word on what was asked, so that the key of a redemption is done with. Other answers are about
     * who asked, or how, or say that nobody knows: the same key goes on with the same intent. */
    get isFinal(): boolean;
}
type Maybe<T> = T | null | undefined;
type Soon<T> = T | Promise<T>;
export interface Options {
    /** The service's address, with `BASE_PATH`. */
    baseUrl: string;
    /** Brings a new ticket or token when the session has ended; nothing when the customer is signed out at your shop. */
    getToken?(): Soon<Maybe<Token>>;
    /** The language of words, as BCP 47 has it. Without it, what the browser prefers. */
    locale?: string;
    /** As ISO 3166 has it, such as `DE`. */
    country?: string;
    /** As ISO 4217 has it, such as `EUR`. */
    currency?: string;
    /** The id of the shopper's cart, into which a redeemed code goes. */
    cart?: Maybe<string> | (() => Soon<Maybe<string>>);
    /** Told of each event, for your analytics. */
    analytics?<E extends EventName>(event: E, detail: Events[E]): void;
    /** In place of the global one. */
    fetch?: typeof fetch;
}
export {};
/** Every method takes a signal: whoever aborts it stops waiting. What was sent may be carried out all the same. */
export interface Waiting {
    signal?: AbortSignal;
}
/** Every method that asks the service rejects with a `LoyaltyError`, or with the reason of its signal. */
export interface Loyalty {
    /** Who is looking. Cheap; a page may begin with it. */
    session(waiting?: Waiting): Promise<SessionState>;
    /** Begins a session with a ticket of your server's, or with the customer's token. */
    signIn(token: Token, waiting?: Waiting): Promise<SessionState>;
    /** The address that signs in at Shopify and comes back to `returnTo`, or else to this page. */
    signInUrl(returnTo?: string): string;
    /** `continueAt`, if there is one, ends Shopify's session too: lead the browser there within five minutes. */
    signOut(waiting?: Waiting): Promise<{
        continueAt?: string;
    }>;
    /** The rewards, ways to earn and tiers, the same for everybody. */
    program(waiting?: Waiting): Promise<Program>;
    /** The words to be agreed to, which stand on the button and right beside it. */
    policies(waiting?: Waiting): Promise<LegalPolicies>;
    /** The member, with the parts that are asked for, each as `data` or `error`. */
    me(include?: readonly Include[], waiting?: Waiting): Promise<MemberAndParts>;
    /**
     * The rewards, each with whether the member can redeem it, and, with `cartId` or the `cart` of the options, whether its
     * coupon would count in that cart (`fitsCart`).
     */
    rewards(how?: Waiting & {
        cartId?: string;
    }): Promise<Rewards>;
    /** Agrees to these words, which the shopper saw and clicked on. `policies_outdated` brings new ones: show them, ask again. */
    join(policies: Pick<LegalPolicies, "version" | "digest">, waiting?: Waiting): Promise<Member>;
    /**
     * Spends points, once for an intent: a second click and a call after a reload go on with the first one until there is a
     * final answer. Resolves with what came of it: `succeeded`, `failed`, or, after a minute, `unknown`. `cartId`, or the
     * `cart` of the options, puts the code into a cart. A server gives the intent's own `key`, which stands in its form.
     */
    redeem(rewardId: string, how?: Waiting & {
        cartId?: string;
        key?: string;
    }): Promise<Redemption>;
    /** What came of a redemption. */
    redemption(key: string, waiting?: Waiting): Promise<Redemption>;
    coupons(waiting?: Waiting): Promise<Wallet>;
    /** Puts a code into a cart, beside the codes that are in there. */
    applyCoupon(code: string, cartId?: string, waiting?: Waiting): Promise<CartResult>;
    /** Completes a way to earn. */
    earn(id: string, waiting?: Waiting): Promise<Completion>;
    setBirthday(birthday: {
        day: number;
        month: number;
    }, waiting?: Waiting): Promise<Member>;
    /** Invites a friend. The answer never says whether they are a customer already. */
    refer(email: string, waiting?: Waiting): Promise<void>;
    referrals(page?: Waiting & {
        cursor?: string;
    }): Promise<Referrals>;
    activity(page?: Waiting & {
        cursor?: string;
        limit?: number;
    }): Promise<Activity>;
    retailers(waiting?: Waiting): Promise<Retailers>;
    /** Calls `listener` at each such event of this page; returns what ends that. */
    on<E extends EventName>(event: E, listener: (detail: Events[E]) => void): () => void;
}
export declare function createLoyalty(options: Options): Loyalty;
