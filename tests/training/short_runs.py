"""The smallest run in which everything happens: updates, validations, logged rows, checkpoints, a test."""

SHORT_RUN = (
    "logger=none",
    "model.code_dim=32",
    "model.metric.rank=4",
    "model.encoder.hidden_dim=16",
    "model.decoder.hidden_dim=16",
    "data.world.height=4",
    "data.world.width=[3,4]",
    "data.walk_length=20",
    "data.batch_size=4",
    "data.validation.walk_length=30",
    "data.validation.walks=4",
    "data.test.walk_length=30",
    "data.test.walks=4",
    "optimizer.warmup_updates=3",
    "optimizer.path_integration_delay=3",
    "trainer.max_steps=40",
    "trainer.val_check_interval=8",
    "trainer.log_every_n_steps=3",
    "trainer.checkpoint_interval=4",
)
