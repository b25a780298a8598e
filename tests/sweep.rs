//! Sweeps: whatever becomes of the logs between two of them, the state knows what one scan of all bytes learns.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "sweep/formats.rs"]
mod formats;
#[path = "sweep/month.rs"]
mod month;
#[path = "sweep/news.rs"]
mod news;
#[path = "sweep/world.rs"]
mod world;

use world::{Kind, World};

/// Does random things to logs, from a seed, with sweeps in between.
fn check(seed: u64, short_bytes: usize, steps: u32) {
    let mut world = World::new(seed, short_bytes);
    for _ in 0..steps {
        world.step();
    }
    world.check(&format!("seed {seed}, short {short_bytes}"));
}

#[test]
fn logs_that_are_rotated_copied_packed_and_cut_anywhere() {
    (0..40).for_each(|seed| check(seed, 1 << 18, 40));
}

#[test]
fn logs_that_are_read_on_where_they_were_left() {
    (1000..1060).for_each(|seed| check(seed, 700, 40));
}

#[test]
fn every_way_to_rotate() {
    for kind in [Kind::Create, Kind::CopyTruncate, Kind::CopySweepTruncate] {
        for short_bytes in [700, 1 << 18] {
            let mut world = World::new(7, short_bytes);
            for round in 0..5 {
                world.append(0, 20_000 + round);
                world.sweep();
                world.append(0, 777);
                world.rotate(0, kind);
                world.append(0, 333);
                world.sweep();
                world.pack(0);
                world.sweep();
            }
            world.check(&format!("{kind:?}, short {short_bytes}"));
        }
    }
}
