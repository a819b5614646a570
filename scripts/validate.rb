# Replaces the Vagrantfile in `vagrant validate`: it makes providers that are not installed usable, so that Vagrant also
# validates their blocks. (Vagrant's own --ignore-provider reads no block.) Only for scripts/lint, which uses a separate
# data directory: for these providers no machine exists.
module AnyProvider
  def initialize(machine) = nil
  def machine_id_changed = nil
  def state = Vagrant::MachineState.new(Vagrant::MachineState::NOT_CREATED_ID, :not_created, :not_created)
end

Vagrant.plugin("2").manager.providers.each do |_, (provider, _)|
  next if provider.usable?(false) # its folders and capabilities may call methods that AnyProvider lacks
  provider.define_singleton_method(:usable?) { |*| true }
  provider.prepend(AnyProvider)
end

load File.expand_path("../Vagrantfile", __dir__)
