//! Keys of one transaction, from a card's key (EMV Book 2 annex A1.3, and what Visa and Mastercard
//! do instead). It owns the derivations alone; which of them a card uses is its profile's.

use zeroize::Zeroizing;

use super::card_key::DerivedKey;
use crate::des_pair::{Block, DesPair};

/// Levels of the tree of EMV 2000, and branches of each node: its usual shape.
const TREE_HEIGHT: u8 = 8;
const TREE_BRANCHES: u16 = 4;
const RIGHT_OF_TREE: u8 = 0xF0;

/// How the key of a cryptogram follows from the card's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionMethod {
    /// It is the card's.
    CardKey,
    /// EMV common: from the transaction counter.
    Common,
    /// Mastercard SKD: from the transaction counter and the terminal's unpredictable number.
    MastercardSkd,
    /// The tree of EMV 2000, of which later editions know nothing. No profile here uses it.
    Emv2000Tree,
}

impl SessionMethod {
    /// The key of a cryptogram; `None` where it is the card's.
    pub(super) fn derive(
        self,
        card: &DerivedKey,
        counter: u16,
        unpredictable_number: u32,
    ) -> Option<DerivedKey> {
        let [a, b] = counter.to_be_bytes();
        let [e, f, g, h] = unpredictable_number.to_be_bytes();
        match self {
            Self::CardKey => None,
            Self::Common => Some(common(card, [a, b, 0, 0, 0, 0, 0, 0])),
            Self::MastercardSkd => Some(common(card, [a, b, 0, 0, e, f, g, h])),
            Self::Emv2000Tree => Some(tree(card, counter)),
        }
    }
}

/// EMV common session key (A1.3.1): of a diversification value, whose third byte is set apart.
pub(super) fn common(card: &DerivedKey, diversification: Block) -> DerivedKey {
    let half = |third: u8| {
        let mut block = diversification;
        if let Some(slot) = block.get_mut(2) {
            *slot = third;
        }
        card.cipher().encrypt(block)
    };
    DerivedKey::of_halves(half(0xF0), half(0x0F))
}

/// Visa's for commands: the card's key with the transaction counter laid over the end of one half
/// and its complement over that of the other.
pub(super) fn visa_exclusive_or(card: &DerivedKey, counter: u16) -> DerivedKey {
    let counter = counter.to_be_bytes();
    let over_end = |half: &Block, [high, low]: [u8; 2]| {
        let [a, b, c, d, e, f, g, h] = *half;
        [a, b, c, d, e, f, g ^ high, h ^ low]
    };
    let right = over_end(card.right(), counter.map(|byte| !byte));
    DerivedKey::of_halves(over_end(card.left(), counter), right)
}

type Halves = Zeroizing<[Block; 2]>;

/// A leaf of the tree with its grandparent laid over it.
fn tree(card: &DerivedKey, counter: u16) -> DerivedKey {
    let root = Zeroizing::new([*card.left(), *card.right()]);
    let before_root = Zeroizing::new([Block::default(); 2]);
    let (mut node, mut parent, mut grandparent) = (root, before_root.clone(), before_root);
    for level in (0..TREE_HEIGHT).rev() {
        // Which child, of those of the level: a digit of the counter to the base of the branches.
        let digit = counter.checked_div(TREE_BRANCHES.saturating_pow(u32::from(level)));
        let branch = digit.map_or(0, |digit| digit.to_be_bytes()[1] & 3);
        let next = child(&node, &parent, branch);
        grandparent = parent;
        parent = node;
        node = next;
    }
    let [left, right] = *node;
    let [over_left, over_right] = *grandparent;
    DerivedKey::of_halves(laid_over(left, over_left), laid_over(right, over_right))
}

fn child(node: &Halves, parent: &Halves, branch: u8) -> Halves {
    let [left, right] = &**node;
    let cipher = DesPair::of_halves(left, right);
    let half = |block: Block, mark: u8| {
        let [a, b, c, d, e, f, g, h] = block;
        cipher.encrypt([a, b, c, d, e, f, g, h ^ mark])
    };
    let [above_left, above_right] = **parent;
    Zeroizing::new([half(above_left, branch), half(above_right, branch ^ RIGHT_OF_TREE)])
}

fn laid_over(block: Block, over: Block) -> Block {
    let mut block = block;
    block.iter_mut().zip(over).for_each(|(slot, byte)| *slot ^= byte);
    block
}
